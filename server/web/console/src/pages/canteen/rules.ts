// The rules of a till, as they are edited: every value as it is typed, until all
// of them can be read. The server checks them again.

import { fen as fenOf, yuan } from '@shared/format'
import { t } from '../../i18n'

export type EntryMode = 'amount' | 'fixed' | 'period' | 'menu'
export const entryModes: readonly EntryMode[] = ['amount', 'fixed', 'period', 'menu']

/** As the interface has them. Amounts are fen, times minutes after campus midnight; 0 = no limit. */
export interface Rules {
  entry: EntryMode
  fixed_fen?: number
  menu?: { key: number; name: string; name_en?: string; price_fen: number }[] | null
  periods?: { id: string; name: string; name_en?: string; from: number; until: number; price_fen?: number }[] | null
  day_start?: number
  pin_above_fen?: number
  per_tx_fen?: number
  per_day_fen?: number
  per_meal_fen?: number
  per_meal_tx?: number
  offline: { per_tx_fen: number; per_account_fen: number; max_records: number; max_age_ms: number }
}

export interface KeyDraft { key: string; name: string; name_en: string; price: string }
export interface PeriodDraft { id: string; name: string; name_en: string; from: string; until: string; price: string }

/** What stands in the fields. Amounts are yuan; "" = none. */
export interface Draft {
  entry: EntryMode
  fixed: string
  day_start: string
  menu: KeyDraft[]
  periods: PeriodDraft[]
  pin_above: string
  per_tx: string
  per_meal: string
  per_meal_tx: string
  per_day: string
  off_per_tx: string
  off_per_account: string
  off_records: string
  off_minutes: string
}

const dayMinutes = 1440
/** Nothing that a till sells costs more, in fen. */
export const dearest = 100_000_00
const counts = { per_meal_tx: 100, off_records: 1_000_000, off_minutes: 31 * dayMinutes } as const
const sums = ['pin_above', 'per_tx', 'per_meal', 'per_day', 'off_per_tx', 'off_per_account'] as const

/** "06:30" of 390. */
export const clockOf = (minutes: number): string => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`

/** 390 of "6:30"; null for what is no time. The end of the day is 24:00. */
export function minutesOf(typed: string): number | null {
  const m = /^(\d{1,2})[::](\d{2})$/.exec(typed.trim())
  const minutes = m ? Number(m[1]) * 60 + Number(m[2]) : NaN
  return m && Number(m[2]) < 60 && minutes <= dayMinutes ? minutes : null
}

const shown = (fen?: number) => (fen ? yuan(fen).replaceAll(',', '') : '')
const number = (n?: number) => (n ? String(n) : '')

export function draftOf(r: Rules): Draft {
  return {
    entry: r.entry, fixed: shown(r.fixed_fen), day_start: clockOf(r.day_start ?? 0),
    menu: (r.menu ?? []).map((one) => ({ key: String(one.key), name: one.name, name_en: one.name_en ?? '', price: shown(one.price_fen) })),
    periods: (r.periods ?? []).map((one) => ({ id: one.id, name: one.name, name_en: one.name_en ?? '', from: clockOf(one.from), until: clockOf(one.until), price: shown(one.price_fen) })),
    pin_above: shown(r.pin_above_fen), per_tx: shown(r.per_tx_fen), per_meal: shown(r.per_meal_fen), per_meal_tx: number(r.per_meal_tx), per_day: shown(r.per_day_fen),
    off_per_tx: shown(r.offline.per_tx_fen), off_per_account: shown(r.offline.per_account_fen), off_records: number(r.offline.max_records),
    off_minutes: number(Math.round(r.offline.max_age_ms / 60_000)),
  }
}

/** The rules of a till that is new. */
export const usualRules: Rules = { entry: 'amount', offline: { per_tx_fen: 0, per_account_fen: 0, max_records: 0, max_age_ms: 0 } }

const sum = (typed: string) => (typed.trim() === '' ? 0 : (fenOf(typed) ?? NaN))
const count = (typed: string) => (typed.trim() === '' ? 0 : /^\d+$/.test(typed.trim()) ? Number(typed) : NaN)

/** Periods in the order of the business day, each with when it begins in it and how long it is. */
function laid(d: Draft): { at: number; begin: number; end: number }[] {
  const start = minutesOf(d.day_start) ?? 0
  return d.periods.flatMap((one, at) => {
    const from = minutesOf(one.from)
    const until = minutesOf(one.until)
    if (from === null || until === null || from === dayMinutes || from === until) return []
    const begin = (from - start + dayMinutes) % dayMinutes
    const long = from === 0 && until === dayMinutes ? dayMinutes : (until - from + dayMinutes) % dayMinutes
    return [{ at, begin, end: begin + long }]
  }).sort((a, b) => a.begin - b.begin)
}

/** Why fields do not do, in words, by their names: "fixed", "menu.2.price". {} = nothing that the page can see. */
export function faultsOf(d: Draft): Record<string, string> {
  const faults: Record<string, string> = {}
  const say = (at: string, word: string, n?: number) => (faults[at] ??= t(word, { n: n ?? 0 }))
  const price = (at: string, typed: string, needed: boolean) => {
    const fen = sum(typed)
    if (!(fen >= (needed ? 1 : 0) && fen <= dearest)) say(at, 'rule_fault_price')
  }
  if (d.entry === 'fixed') price('fixed', d.fixed, true)
  const start = minutesOf(d.day_start)
  if (start === null || start === dayMinutes) say('day_start', 'rule_fault_time')
  for (const id of sums) if (!(sum(d[id]) >= 0 && sum(d[id]) <= dearest)) say(id, 'rule_fault_money')
  for (const [id, most] of Object.entries(counts) as [keyof typeof counts, number][]) if (!(count(d[id]) <= most)) say(id, 'rule_fault_count', most)

  if (d.entry === 'menu' && !d.menu.length) say('menu', 'rule_fault_no_keys')
  const keys = new Set<number>()
  d.menu.forEach((one, at) => {
    const key = count(one.key)
    if (!(key >= 1 && key <= 99)) say(`menu.${at}.key`, 'rule_fault_key')
    else if (keys.has(key)) say(`menu.${at}.key`, 'rule_fault_twice')
    keys.add(key)
    if (!one.name.trim()) say(`menu.${at}.name`, 'rule_fault_needed')
    price(`menu.${at}.price`, one.price, true)
  })
  if (d.entry === 'period' && !d.periods.length) say('periods', 'rule_fault_no_periods')
  const ids = new Set<string>()
  d.periods.forEach((one, at) => {
    const id = one.id.trim()
    if (!id) say(`periods.${at}.id`, 'rule_fault_needed')
    else if (ids.has(id)) say(`periods.${at}.id`, 'rule_fault_twice')
    ids.add(id)
    if (!one.name.trim()) say(`periods.${at}.name`, 'rule_fault_needed')
    const from = minutesOf(one.from)
    const until = minutesOf(one.until)
    if (from === null || from === dayMinutes) say(`periods.${at}.from`, 'rule_fault_time')
    if (until === null || until === from) say(`periods.${at}.until`, 'rule_fault_time')
    price(`periods.${at}.price`, one.price, d.entry === 'period')
  })
  const order = laid(d)
  order.forEach((one, n) => {
    const before = order[n - 1]
    if (before && one.begin < before.end) say(`periods.${one.at}.from`, 'rule_fault_overlap')
  })
  const [first] = order
  const last = order.at(-1)
  if (first && last && last.end > first.begin + dayMinutes) say(`periods.${last.at}.until`, 'rule_fault_overlap')
  return faults
}

/** The rules of a draft without faults; periods in the order of the business day. */
export function rulesOf(d: Draft): Rules {
  const periods = laid(d).map(({ at }) => d.periods[at]!)
  return {
    entry: d.entry, fixed_fen: sum(d.fixed) || 0, day_start: minutesOf(d.day_start) ?? 0,
    menu: d.menu.map((one) => ({ key: count(one.key), name: one.name.trim(), name_en: one.name_en.trim(), price_fen: sum(one.price) })),
    periods: periods.map((one) => ({ id: one.id.trim(), name: one.name.trim(), name_en: one.name_en.trim(), from: minutesOf(one.from)!, until: minutesOf(one.until)!, price_fen: sum(one.price) })),
    pin_above_fen: sum(d.pin_above), per_tx_fen: sum(d.per_tx), per_meal_fen: sum(d.per_meal), per_meal_tx: count(d.per_meal_tx), per_day_fen: sum(d.per_day),
    offline: { per_tx_fen: sum(d.off_per_tx), per_account_fen: sum(d.off_per_account), max_records: count(d.off_records), max_age_ms: count(d.off_minutes) * 60_000 },
  }
}
