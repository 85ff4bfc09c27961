// Forms as both apps fill them in: what is required now, what is wrong, and what
// is sent. The server checks everything again and decides; this only spares
// people a round.

import { fen } from './format'
import type { FormField, FormValues } from './types'

/** What is wrong with a field; n is the limit. */
export interface Fault {
  kind: 'required' | 'too_long' | 'number' | 'money' | 'phone' | 'order' | 'server'
  n?: number
  /** What the server said. */
  text?: string
}

export type Faults = Record<string, Fault>

/** Characters of a text field that names no limit. */
export const maxText = 1000
/** Items of a field with many. */
export const maxItems = 50

/** Fields that mean nothing but where they are required: a single-use pass has no last day. */
const onlyIfRequired: Readonly<Record<string, readonly string[]>> = { 'cqu.resident_pass': ['to'] }

/** Pairs of days of which the second may not be before the first. */
const spans: readonly (readonly [string, string])[] = [['start', 'end'], ['date', 'to'], ['from', 'to']]

export const isText = (f: FormField): boolean => f.type === 'text' || f.type === 'textarea' || f.type === 'richtext'
export const isFile = (f: FormField): boolean => f.type === 'file' || f.type === 'image'

/** The limit of a text. */
export const limitOf = (f: FormField): number => f.max || maxText

export function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0)
}

/** Whether a field is shown with these answers. */
export function isShown(flow: string, f: FormField, values: FormValues): boolean {
  return !onlyIfRequired[flow]?.includes(f.id) || isRequired(f, values)
}

/**
 * Whether a field is required with these answers. Conditions are the server's;
 * the plain ones are followed here while people choose.
 */
export function isRequired(f: FormField, values: FormValues): boolean {
  if (f.readonly || f.type === 'note') return false
  return f.required || (holds(f.required_when, values) ?? Boolean(f.required_if))
}

/** `form.type == "multi"`; undefined for any other condition. */
function holds(condition: string | undefined, values: FormValues): boolean | undefined {
  const said = /^form\.(\w+)\s*(==|!=)\s*"([^"]*)"$/.exec(condition ?? '')
  return said ? (values[said[1] ?? ''] === said[3]) === (said[2] === '==') : undefined
}

/** The answers that a form begins with. */
export function beginning(form: readonly FormField[]): FormValues {
  return Object.fromEntries(form.map((f) => [f.id, f.value ?? (f.many ? [] : null)]))
}

/** What is wrong with the answers, by field in the form's order. */
export function faultsOf(flow: string, form: readonly FormField[], values: FormValues): Faults {
  const faults: Faults = {}
  for (const f of form) {
    if (f.readonly || !isShown(flow, f, values)) continue
    const value = values[f.id]
    if (isEmpty(value)) {
      if (isRequired(f, values)) faults[f.id] = { kind: 'required' }
      continue
    }
    const fault = faultOf(f, value)
    if (fault) faults[f.id] = fault
  }
  for (const [first, last] of spans) {
    const from = values[first]
    const to = values[last]
    const both = [first, last].every((id) => form.some((f) => f.id === id && f.type === 'date' && isShown(flow, f, values)))
    if (both && typeof from === 'string' && typeof to === 'string' && from && to && to < from && !faults[last]) faults[last] = { kind: 'order' }
  }
  return faults
}

function faultOf(f: FormField, value: unknown): Fault | null {
  if (isText(f)) return [...String(value)].length > limitOf(f) ? { kind: 'too_long', n: limitOf(f) } : null
  switch (f.type) {
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? null : { kind: 'number' }
    case 'money':
      return typeof value === 'number' && Number.isSafeInteger(value) ? null : { kind: 'money' }
    case 'phone':
      return /^[\d+\- ]{1,40}$/.test(String(value)) ? null : { kind: 'phone' }
    default:
      return null
  }
}

/** A number as typed: itself, or the text when it is none, so that it is refused and not lost. */
export function numberOf(f: FormField, typed: string): unknown {
  const text = typed.trim()
  if (text === '') return null
  if (f.type === 'money') return fen(text) ?? text
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
}

/** The answers as they are sent: without what the server fills in, what is hidden and what is empty. */
export function answers(flow: string, form: readonly FormField[], values: FormValues): FormValues {
  const out: FormValues = {}
  for (const f of form) {
    if (f.readonly || f.type === 'note' || !isShown(flow, f, values) || isEmpty(values[f.id])) continue
    out[f.id] = values[f.id]
  }
  return out
}
