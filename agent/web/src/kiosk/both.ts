// Words in both languages at once.

import type { Values } from '../lang'
import type { Lang } from '../types'
import { t, type Word } from './words'

export const both = (word: Word, values: Values | ((l: Lang) => Values) = {}): Record<Lang, string> => {
  const of = (l: Lang): Values => (typeof values === 'function' ? values(l) : values)
  return { zh: t(word, of('zh'), 'zh'), en: t(word, of('en'), 'en') }
}
