// What holds at the lanes of gates, who is inside, and emergencies: the shapes,
// and opening hours between the way they are typed and the way they are sent.

import { t } from '../../i18n'
import './words'

export const kinds = ['resident_single', 'resident_multi', 'work', 'visitor', 'vehicle'] as const
export type Kind = (typeof kinds)[number]

export interface Span { from: number; until: number }
export interface Hours {
  kinds: Kind[]
  week: (Span & { day: number })[]
  dates?: { from: string; until: string; spans?: Span[] }[]
}

export interface AreaRule {
  passback: 'none' | 'alert' | 'enforce'
  limit?: number
  watch?: boolean
  forget_hours?: number
  day_end?: number
}

export interface Policy {
  gate: number
  area_name: string
  area_gates: number[]
  lanes?: { name: string; kinds: Kind[] }[]
  hours?: Hours[]
  exempt?: Kind[]
  group?: string
  area: AreaRule
  changed_at?: number
  changed_by?: string
}

export interface Occupancy { area: string; gates: number[]; inside: number; rule: AreaRule }
export interface Insider { pass_id: string; kind: Kind; name: string; gate: number; since: number }

export interface Emergency {
  scope: string
  state: 'lockdown' | 'open'
  reason: string
  by: string
  since: number
  until?: number
  source: 'server' | 'guard' | 'input'
}

/** Hours as they are typed: a line of windows for each day of the week, and lines of dates. */
export interface HoursDraft { kinds: Kind[]; week: string[]; dates: string }

const two = (n: number): string => String(n).padStart(2, '0')
export const clockOf = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`

/** Minutes after midnight of "06:30", up to "24:00"; null where it is no time. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2})[:：](\d{2})$/.exec(text.trim())
  if (!found) return null
  const minute = Number(found[1]) * 60 + Number(found[2])
  return Number(found[2]) < 60 && minute <= 1440 ? minute : null
}

const spanText = (span: Span): string => `${clockOf(span.from)}-${clockOf(span.until)}`

/** Windows of "06:30-11:00, 22:00-02:00"; null where one is none. Empty = none. */
export function spansOf(text: string): Span[] | null {
  const list: Span[] = []
  for (const part of text.split(/[,，;；\s]+/).filter(Boolean)) {
    const [from, until, ...more] = part.split(/[-–~至]/)
    const a = minuteOf(from ?? '')
    const b = minuteOf(until ?? '')
    if (a === null || b === null || a === 1440 || a === b || more.length) return null
    list.push({ from: a, until: b })
  }
  return list
}

export function draftOf(hours: Hours): HoursDraft {
  return {
    kinds: [...hours.kinds],
    week: [1, 2, 3, 4, 5, 6, 7].map((day) => hours.week.filter((one) => one.day === day).map(spanText).join(', ')),
    dates: (hours.dates ?? []).map((one) => [one.from === one.until ? one.from : `${one.from}~${one.until}`, ...(one.spans ?? []).map(spanText)].join(' ')).join('\n'),
  }
}

/** The hours of a draft, and what is wrong with it: by "week.3" (Wednesday's line) or "dates". */
export function hoursOf(draft: HoursDraft): { hours: Hours; faults: string[] } {
  const faults: string[] = []
  const hours: Hours = { kinds: draft.kinds, week: [], dates: [] }
  draft.week.forEach((line, at) => {
    const spans = spansOf(line)
    if (!spans) faults.push(`week.${at}`)
    else hours.week.push(...spans.map((span) => ({ day: at + 1, ...span })))
  })
  for (const line of draft.dates.split('\n').map((one) => one.trim()).filter(Boolean)) {
    const found = /^(\d{4}-\d{2}-\d{2})(?:\s*[~至]\s*(\d{4}-\d{2}-\d{2}))?(?:\s+(.*))?$/.exec(line)
    const spans = found && spansOf(found[3] ?? '')
    if (!found || !spans) {
      faults.push('dates')
      break
    }
    hours.dates?.push({ from: found[1]!, until: found[2] ?? found[1]!, spans })
  }
  if (!draft.kinds.length) faults.push('kinds')
  return { hours, faults }
}

/** A scope or an area in words: the campus, a zone, a gate, a group. */
export function scopeName(scope: string, gates: readonly { id: number; name: string }[], zones: readonly { id: number; name: string }[]): string {
  const [what, which = ''] = scope.split(/:(.*)/s)
  if (what === 'campus') return t('scope_campus')
  if (what === 'group') return t('scope_group', { name: which })
  const named = (what === 'zone' ? zones : gates).find((one) => String(one.id) === which)?.name ?? which
  return t(what === 'zone' ? 'scope_zone' : 'scope_gate', { name: named })
}
