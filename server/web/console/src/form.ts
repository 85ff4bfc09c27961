// What the console's forms add to the rules that both apps share: words for the
// faults, and fields that hang on one another.

import type { Refusal } from '@shared/api'
import { faultsOf as faultsOfForm, type Fault } from '@shared/forms'
import { half, pick } from '@shared/lang'
import type { FormField, FormValues } from '@shared/types'
import { t } from './i18n'
import type { DayLimits } from './shapes'

/** Why fields do not do, in words, by their ids. */
export type Faults = Record<string, string>

/** How many characters people would count. */
export const length = (text: string): number => [...text].length

/** A field's name in the language shown. */
export const nameOf = (field: { name: string; en?: string }): string => pick(field.name, field.en)

/** Selects whose options hang on what was chosen before, outermost first. */
export const placeChain = ['compound', 'building', 'room'] as const

/** The form after a field was changed: what hung on its old value is cleared. */
export function changed(form: FormValues, id: string, value: unknown): FormValues {
  const next: FormValues = { ...form, [id]: value }
  const at = placeChain.findIndex((one) => one === id)
  if (at >= 0 && form[id] !== value) for (const inner of placeChain.slice(at + 1)) if (inner in next) next[inner] = ''
  return next
}

/** Whether a day lies outside of what a field of a pass may hold. A first day may be past, since only the last one counts. */
export function outside(id: string, day: string, limits: DayLimits | null | undefined): boolean {
  if (!limits || !['date', 'to', 'end'].includes(id)) return false
  return day < limits.first_date || (id === 'date' && limits.last_date !== '' && day > limits.last_date)
}

const inWords = (fault: Fault): string => fault.text || t('fault_' + fault.kind, { n: fault.n ?? 0 })

/** What is wrong with a form as it stands; {} = nothing that the page can see. */
export function check(flow: string, fields: readonly FormField[], form: FormValues): Faults {
  return Object.fromEntries(Object.entries(faultsOfForm(flow, fields, form)).map(([id, fault]) => [id, inWords(fault)]))
}

/** The fields that a refusal is about, with why; {} when it names none of these. */
export function faultsOf(refusal: Refusal, fields: readonly FormField[]): Faults {
  const { field, faults } = refusal.details
  const told = [[field, refusal.message], ...(Array.isArray(faults) ? faults : []).map((one) => [one?.field, half(String(one?.message ?? ''))])]
  const found: Faults = {}
  for (const [name, why] of told) {
    const id = String(name ?? '').replace(/^body\./, '')
    if (fields.some((one) => one.id === id)) found[id] ??= String(why)
  }
  return found
}
