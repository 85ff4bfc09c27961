// What a person has typed into a form and not yet sent, kept on the phone. Never
// numbers of phones or documents.

import type { FormField, FormValues } from '@shared/types'

const prefix = 'cg-typed-'
/** An 11-digit phone number or an 18-character identity number, also inside other text. */
const personal = /1\d{10}|\d{17}[\dXx]/

/** What of a form may be kept. */
export function keepable(form: readonly FormField[], values: FormValues): FormValues {
  const out: FormValues = {}
  for (const field of form) {
    const value = values[field.id]
    if (field.readonly || value === undefined || value === null || value === '') continue
    if (['phone', 'file', 'image', 'note'].includes(field.type)) continue
    if (personal.test(JSON.stringify(value).replace(/[\s-]/g, ''))) continue
    out[field.id] = value
  }
  return out
}

export function keepTyped(name: string, owner: string, values: FormValues): void {
  try {
    if (Object.keys(values).length) localStorage.setItem(prefix + name, JSON.stringify({ owner, values }))
    else localStorage.removeItem(prefix + name)
  } catch {
    // Full, or a browser that keeps nothing.
  }
}

export function typed(name: string, owner: string): FormValues | null {
  try {
    const found = JSON.parse(localStorage.getItem(prefix + name) ?? 'null') as { owner: string; values: FormValues } | null
    return found?.owner === owner ? found.values : null
  } catch {
    return null
  }
}

/** Forgets one form, or all. */
export function forgetTyped(name = ''): void {
  try {
    for (const key of Object.keys(localStorage)) if (name ? key === prefix + name : key.startsWith(prefix)) localStorage.removeItem(key)
  } catch {
    // Nothing is kept.
  }
}
