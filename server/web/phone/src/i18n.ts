// The words of the pages, Chinese and English side by side so that neither is
// forgotten, and Vant's own words in step with them.

import { lang, pick } from '@shared/lang'
import { Locale } from 'vant/es/locale'
import enUS from 'vant/es/locale/lang/en-US'
import zhCN from 'vant/es/locale/lang/zh-CN'
import { watch } from 'vue'
import { createI18n, type MessageContext } from 'vue-i18n'
import apply from './words/apply'
import card from './words/card'
import common from './words/common'
import login from './words/login'
import matters from './words/matters'
import me from './words/me'
import passes from './words/passes'

const words = { ...common, ...login, ...passes, ...apply, ...matters, ...me, ...card }

/** The name of a wording. */
export type Word = keyof typeof words

// Values stand in braces. A function each needs no compiler of messages in the page.
const said = (wording: string) => (values: MessageContext<string>) => wording.replace(/\{(\w+)\}/g, (_, name: string) => String(values.named(name)))
const side = (n: 0 | 1) => Object.fromEntries(Object.entries(words).map(([word, both]) => [word, said(both[n])]))

export const i18n = createI18n({
  legacy: false,
  locale: lang.value,
  fallbackLocale: 'zh',
  messages: { zh: side(0), en: side(1) },
})

watch(
  lang,
  (now) => {
    i18n.global.locale.value = now
    Locale.use(now === 'zh' ? 'zh-CN' : 'en-US', now === 'zh' ? zhCN : enUS)
  },
  { immediate: true, flush: 'sync' },
)

/** A wording in the language shown, with the values named in it. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  return i18n.global.t(word, values)
}

/** What a decision is called: as its flow calls it, or with a word of ours. */
export function verbName(verb: string, name: string, en = ''): string {
  return pick(name, en) || tryWord('verb_' + verb, verb)
}

/** A wording that may not exist, such as the name of a state of a later server. */
export function tryWord(word: string, otherwise: string): string {
  return word in words ? t(word as Word) : otherwise
}
