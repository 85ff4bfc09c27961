// 小区 → 楼栋 → 门牌: each is chosen among those of the one before.

import { isEmpty } from '@shared/forms'
import type { FormField, FormValues } from '@shared/types'
import { fieldName } from './words'

const chain = ['compound', 'building', 'room'] as const

const isPlaces = (form: readonly FormField[]) => chain.every((id) => form.some((f) => f.id === id && f.type === 'select'))

/**
 * For a field whose options hang on others: what to ask for, or null with the
 * name of the field to choose first. Null for any other field.
 */
export function placeOf(
  field: FormField, form: readonly FormField[], values: FormValues,
): { query: Record<string, string> | null; first: string } | null {
  const at = chain.indexOf(field.id as (typeof chain)[number])
  if (at < 1 || field.options || !isPlaces(form)) return null
  const before = chain.slice(0, at)
  const missing = before.find((id) => isEmpty(values[id]))
  if (missing) return { query: null, first: fieldName(form.find((f) => f.id === missing) ?? field) }
  return { query: Object.fromEntries(before.map((id) => [id, String(values[id])])), first: '' }
}

/** The answers that no longer fit when a field changes. */
export function fallen(id: string, form: readonly FormField[]): readonly string[] {
  const at = chain.indexOf(id as (typeof chain)[number])
  return at < 0 || !isPlaces(form) ? [] : chain.slice(at + 1)
}
