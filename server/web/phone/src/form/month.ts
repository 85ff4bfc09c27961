// The days of a month as a calendar shows them, Monday first.

import type { Lang } from '@shared/lang'

const utc = (month: string, d = 1) => new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1, d))

/** The days of "2026-05", with "" for the places before the first. */
export function monthOf(month: string): string[] {
  const before = (utc(month).getUTCDay() + 6) % 7
  const days = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)), 0)).getUTCDate()
  return [...Array<string>(before).fill(''), ...Array.from({ length: days }, (_, n) => `${month}-${String(n + 1).padStart(2, '0')}`)]
}

/** The month so many after another. */
export function otherMonth(month: string, by: number): string {
  const at = utc(month)
  at.setUTCMonth(at.getUTCMonth() + by)
  return at.toISOString().slice(0, 7)
}

const locale = (lang: Lang) => (lang === 'zh' ? 'zh-CN' : 'en-GB')

/** "2026年5月" or "May 2026". */
export function monthName(month: string, lang: Lang): string {
  return new Intl.DateTimeFormat(locale(lang), { timeZone: 'UTC', year: 'numeric', month: 'long' }).format(utc(month))
}

/** 一 to 日, Mon to Sun. */
export function weekdays(lang: Lang): string[] {
  const name = new Intl.DateTimeFormat(locale(lang), { timeZone: 'UTC', weekday: lang === 'zh' ? 'narrow' : 'short' })
  return Array.from({ length: 7 }, (_, n) => name.format(utc('2026-06', n + 1))) // 1 June 2026 is a Monday
}
