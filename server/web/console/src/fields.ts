// Forms of the administration, of the same fields as those of the services.

import type { FieldType, FormField, Option } from '@shared/types'
import { t } from './i18n'

const both = (word: string) => [t(word, {}, { locale: 'zh' }), t(word, {}, { locale: 'en' })] as const

/** A field named by a word. */
export function field(id: string, word: string, type: FieldType = 'text', more: Partial<FormField> = {}): FormField {
  const [name, en] = both(word)
  return { id, name, en, type, required: false, readonly: false, ...more }
}

/** A choice named by a word. */
export function option(value: string, word: string): Option {
  const [label, en] = both(word)
  return { value, label, en }
}

/** Choices that carry their own names. */
export const named = (list: readonly { id: string | number; name: string }[]): Option[] => list.map((one) => ({ value: String(one.id), label: one.name }))

/** Yes and no as a field takes them. */
export const yesNo = (): Option[] => [option('true', 'yes'), option('false', 'no')]
