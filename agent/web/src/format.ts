// Times, ages and names as the guard reads them. The campus lives in one time
// zone, whatever the computer is set to.

import type { Lang } from './types'

export const ZONE = 'Asia/Shanghai'

const locale = (lang: Lang): string => (lang === 'zh' ? 'zh-CN' : 'en-GB')

function part(at: number, lang: Lang, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(lang), { timeZone: ZONE, hourCycle: 'h23', ...options }).format(at)
}

export const clock = (at: number, lang: Lang): string =>
  part(at, lang, { hour: '2-digit', minute: '2-digit', second: '2-digit' })

const minute = (at: number, lang: Lang): string => part(at, lang, { hour: '2-digit', minute: '2-digit' })

const dayKey = (at: number): string => part(at, 'en', { year: 'numeric', month: '2-digit', day: '2-digit' })

export function day(at: number, lang: Lang, now: number): string {
  const year = part(at, lang, { year: 'numeric' }) !== part(now, lang, { year: 'numeric' })
  return part(at, lang, { month: lang === 'zh' ? 'long' : 'short', day: 'numeric', ...(year && { year: 'numeric' }) })
}

/** Today's date in full, for the idle screen. */
export const today = (now: number, lang: Lang): string =>
  part(now, lang, { month: 'long', day: 'numeric', weekday: 'long' })

/** A moment: the time alone when it is today. */
export function moment(at: number, lang: Lang, now: number): string {
  return dayKey(at) === dayKey(now) ? clock(at, lang) : `${day(at, lang, now)} ${minute(at, lang)}`
}

const isMidnight = (at: number): boolean => minute(at, 'en') === '00:00'

/**
 * The span in which a pass is valid, from unix seconds. The end is exclusive;
 * one at midnight is said as the day before, which is the last day that counts.
 */
export function validity(fromSeconds: number | undefined, untilSeconds: number | undefined, lang: Lang, now: number): string {
  const [from, until] = [(fromSeconds ?? 0) * 1000, (untilSeconds ?? 0) * 1000]
  const first = from ? (isMidnight(from) ? day(from, lang, now) : `${day(from, lang, now)} ${minute(from, lang)}`) : ''
  let last = ''
  if (until) last = isMidnight(until) ? day(until - 1, lang, now) : `${day(until, lang, now)} ${minute(until, lang)}`
  if (first && first === last) return first
  if (first && last) return `${first} – ${last}`
  return first || last
}

/** A length of time, in one unit, rounded down. */
export function age(ms: number, lang: Lang): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const [n, unit]: [number, 's' | 'm' | 'h' | 'd'] =
    s < 60 ? [s, 's'] : s < 3600 ? [Math.floor(s / 60), 'm'] : s < 172_800 ? [Math.floor(s / 3600), 'h'] : [Math.floor(s / 86_400), 'd']
  const zh = { s: '秒', m: '分钟', h: '小时', d: '天' }
  const en = { s: 's', m: 'min', h: 'h', d: 'days' }
  return lang === 'zh' ? `${n} ${zh[unit]}` : `${n} ${en[unit]}`
}

/** A name that others may see on the screen: the first character of it. */
export function mask(name: string): string {
  const [first] = name
  return first ? first + '＊' : ''
}

/** The width of a bold text in ems, roughly: Han characters are one. */
export function ems(text: string): number {
  let n = 0
  for (const c of text) n += /[\u2E80-\uFFEF]|[\u{20000}-\u{3FFFF}]/u.test(c) ? 1 : /[A-Z@mw]/.test(c) ? 0.8 : 0.64
  return Math.max(1, n)
}
