// Desks as the form takes them.

import type { FormValues } from '@shared/types'

export interface Desk {
  id: string
  name: string
  en?: string
  unit: string
  serves: { who: string; campus?: string }[] | null
  hours: { from: string; to: string }[] | null
  documents: string[] | null
}
export type DeskNow = Desk & { open: boolean }

/** "09:00-11:30\n15:00-17:30". */
export const hoursText = (desk: Pick<Desk, 'hours'>): string => (desk.hours ?? []).map((one) => `${one.from}-${one.to}`).join('\n')

/** Hours as they were typed; null where a line is none, or ends before it begins. */
export function hoursOf(text: string): { from: string; to: string }[] | null {
  const out: { from: string; to: string }[] = []
  for (const line of text.split(/[\n,,;;]/).map((one) => one.trim()).filter(Boolean)) {
    const found = /^([01]?\d|2[0-3])[::]([0-5]\d)\s*[-–—~至到]\s*([01]?\d|2[0-4])[::]([0-5]\d)$/.exec(line)
    if (!found) return null
    const from = `${found[1]?.padStart(2, '0')}:${found[2]}`
    const to = `${found[3]?.padStart(2, '0')}:${found[4]}`
    if (to <= from || to > '24:00') return null
    out.push({ from, to })
  }
  return out
}

/** Whom it serves as one choice: "retired@A", or "retired" for every campus. */
export const servesKey = (one: { who: string; campus?: string }): string => (one.campus ? `${one.who}@${one.campus}` : one.who)

/** A desk as the server takes it. */
export function deskOf(form: FormValues, hours: { from: string; to: string }[], id: string): Desk {
  const serves = (form.serves as string[]).map((key) => {
    const [who = '', campus] = key.split('@')
    return campus ? { who, campus } : { who }
  })
  return { id, name: String(form.name), en: String(form.en ?? ''), unit: String(form.unit ?? ''), serves, hours, documents: form.documents as string[] }
}
