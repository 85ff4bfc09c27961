// The rules of a form that a page can check before the server does. The server
// decides; what it refuses is shown at the field that it names.

import type { Refusal } from '@shared/api'
import { fen, millis } from '@shared/format'
import { half, pick } from '@shared/lang'
import type { FormField, FormValues } from '@shared/types'
import { t } from './i18n'

/** Why fields do not do, by their ids. */
export type Faults = Record<string, string>

/** Characters of a text where the field says nothing. */
export const maxText = 1000

/** Items of a field that takes several. */
export const maxItems = 50

/** How many characters people would count. */
export const length = (text: string): number => [...text].length

/** A field's name in the language shown. */
export const nameOf = (field: { name: string; en?: string }): string => pick(field.name, field.en)

/** Whether nothing is filled in. */
export function blank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0)
}

/** A field with the condition under which it is required, as the flow words it. */
export type Conditional = FormField & { required_when?: string }

const plain = /^form\.(\w+) == "([^"]*)"$/

/** Whether a field must be filled in now. A plain condition is followed while somebody types; of others the server's last word stands. */
export function required(field: Conditional, form: FormValues): boolean {
  if (field.required) return true
  const [, other, value] = plain.exec(field.required_when ?? '') ?? []
  return other === undefined ? field.required_if === true : form[other] === value
}

/** Whether a field has a place on the form now: the last day of a pass for one day has none. */
export function visible(flow: string, field: Conditional, form: FormValues): boolean {
  return !(flow === 'cqu.resident_pass' && field.id === 'to') || required(field, form)
}

/** Selects whose options hang on what was chosen before, outermost first. */
export const placeChain = ['compound', 'building', 'room'] as const

/** The form after a field was changed: what hung on its old value is cleared. */
export function changed(form: FormValues, id: string, value: unknown): FormValues {
  const next: FormValues = { ...form, [id]: value }
  const at = placeChain.findIndex((one) => one === id)
  if (at >= 0 && form[id] !== value) for (const inner of placeChain.slice(at + 1)) if (inner in next) next[inner] = ''
  return next
}

function faultOf(field: FormField, value: unknown): string {
  if (Array.isArray(value)) {
    if (value.length > maxItems) return t('fault_many', { max: maxItems })
    return value.map((one) => faultOf({ ...field, many: false }, one)).find(Boolean) ?? ''
  }
  switch (field.type) {
    case 'text': case 'textarea': case 'richtext': {
      const over = length(String(value)) - (field.max || maxText)
      return over > 0 ? t('fault_long', { over }) : ''
    }
    case 'phone':
      return /^[0-9+][0-9 -]{4,19}$/.test(String(value).trim()) ? '' : t('fault_phone')
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? '' : t('fault_number')
    case 'money':
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? '' : t('fault_money')
    case 'date': case 'datetime':
      return Number.isNaN(millis(String(value))) ? t('fault_date') : ''
    case 'select':
      return !field.options || field.options.some((one) => one.value === value) ? '' : t('fault_option')
    default:
      return ''
  }
}

/** What is wrong with a form as it stands; {} = nothing that the page can see. */
export function check(flow: string, fields: readonly FormField[], form: FormValues): Faults {
  const faults: Faults = {}
  for (const field of fields) {
    if (field.readonly || field.type === 'note' || !visible(flow, field, form)) continue
    const value = form[field.id]
    const fault = blank(value) ? (required(field, form) ? t('fault_required') : '') : faultOf(field, value)
    if (fault) faults[field.id] = fault
  }
  const dates = [['start', 'end'], ['date', 'to']] as const
  for (const [first, last] of dates) {
    const both = [first, last].map((id) => fields.some((field) => field.id === id && field.type === 'date') && !faults[id] ? form[id] : undefined)
    if (!blank(both[0]) && !blank(both[1]) && String(both[1]) < String(both[0])) faults[last] = t('fault_order')
  }
  return faults
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

/** What is sent: what can be filled in, without blanks. */
export function sent(flow: string, fields: readonly FormField[], form: FormValues): FormValues {
  const open = fields.filter((field) => !field.readonly && field.type !== 'note' && visible(flow, field, form) && !blank(form[field.id]))
  return Object.fromEntries(open.map((field) => [field.id, trimmed(form[field.id])]))
}

const trimmed = (value: unknown) => (typeof value === 'string' ? value.trim() : value)

/** The first values of a form. */
export function initial(fields: readonly FormField[]): FormValues {
  return Object.fromEntries(fields.map((field) => [field.id, field.value ?? (field.many ? [] : '')]))
}

/** Money as it was typed: whole fen, or what cannot be read, which check then finds. */
export function moneyOf(typed: string): number | string {
  return typed.trim() === '' ? '' : (fen(typed) ?? typed)
}

/** A number as it was typed, or what cannot be read. */
export function numberOf(typed: string): number | string {
  const text = typed.trim()
  return /^-?\d{1,15}(\.\d{1,10})?$/.test(text) ? Number(text) : text
}
