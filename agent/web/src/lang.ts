// The language of the pages, and what makes words of a table of them.

import { ref, watchEffect } from 'vue'
import { recall, remember } from './memory'
import type { Lang } from './types'

/** Words by name: Chinese first, English second. */
export type Table = Record<string, readonly [string, string]>
export type Values = Record<string, string | number>

export const lang = ref<Lang>(recall('lang') === 'en' ? 'en' : 'zh')

/** Speaks a table's words in the language of the moment, or in one that is named. */
export function speaker<T extends Table>(table: T): (word: keyof T & string, values?: Values, as?: Lang) => string {
  return (word, values = {}, as = lang.value) =>
    table[word]![as === 'zh' ? 0 : 1].replace(/\{(\w+)\}/g, (_, k: string) => String(values[k] ?? ''))
}

export function switchLanguage(): void {
  lang.value = lang.value === 'zh' ? 'en' : 'zh'
  remember('lang', lang.value)
}

/** Keeps the document's language in step, for screen readers and fonts. */
export function followLanguage(): void {
  watchEffect(() => {
    document.documentElement.lang = lang.value === 'zh' ? 'zh-CN' : 'en'
  })
}
