// The console's words. Each is written once, in Chinese and in English, beside
// the pages that use it: `export default words({...})` in a words.ts of an area.

import { watch } from 'vue'
import { createI18n } from 'vue-i18n'
import { lang, type Lang } from '@shared/lang'

/** Key → [Chinese, English]. `{name}` is filled in; of `one | many` the value `n`, or `count` where n is no number, picks one. */
export type Words = Record<string, readonly [zh: string, en: string]>

export const i18n = createI18n({
  legacy: false,
  locale: lang.value,
  fallbackLocale: 'zh',
  missingWarn: import.meta.env.DEV,
  fallbackWarn: import.meta.env.DEV,
  messages: { zh: {}, en: {} } as Record<Lang, Record<string, string>>,
})

watch(lang, (now) => (i18n.global.locale.value = now), { flush: 'sync' })

/** Adds an area's words. Keys of different areas never collide: each begins with its area. */
export function addWords(words: Words): void {
  for (const [at, language] of (['zh', 'en'] as const).entries()) {
    i18n.global.mergeLocaleMessage(language, Object.fromEntries(Object.entries(words).map(([key, both]) => [key, both[at]])))
  }
}

/** A word outside of components. */
export const t = i18n.global.t
