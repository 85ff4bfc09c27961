// How values are shown. Times are campus time whatever the device is set to;
// money is whole fen.

import { lang } from './lang'

/** The campus time zone. */
export const zone = 'Asia/Shanghai'

/** A moment: unix ms, a day ("2026-05-01", campus midnight) or RFC 3339. */
export type Moment = number | string

const parts = new Intl.DateTimeFormat('en-GB', {
  timeZone: zone, hourCycle: 'h23',
  year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
})

/** Unix ms of a moment; NaN when it is none. */
export function millis(at: Moment): number {
  if (typeof at === 'number') return at
  if (/^\d{4}-\d\d-\d\d$/.test(at)) return Date.parse(at + 'T00:00:00+08:00')
  if (/^\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?$/.test(at)) return Date.parse(at.replace(' ', 'T') + '+08:00')
  return Date.parse(at)
}

function split(at: Moment): Record<string, string> {
  const ms = millis(at)
  if (Number.isNaN(ms)) return {}
  return Object.fromEntries(parts.formatToParts(ms).map((p) => [p.type, p.value]))
}

/** "2026-05-01" on the campus; "" for what is no moment. */
export function day(at: Moment): string {
  const p = split(at)
  return p.year ? `${p.year}-${p.month}-${p.day}` : ''
}

/** "08:05". */
export function clock(at: Moment): string {
  const p = split(at)
  return p.hour ? `${p.hour}:${p.minute}` : ''
}

/** "2026-05-01 08:05". */
export function stamp(at: Moment): string {
  const p = split(at)
  return p.year ? `${p.year}-${p.month}-${p.day} ${p.hour}:${p.minute}` : ''
}

/** The campus day so many days after a moment. */
export function dayAfter(at: Moment, days: number): string {
  return day(millis(day(at)) + days * 86_400_000)
}

/**
 * The days of a pass: its first, and its last, which is the day before the first
 * moment after it when that is a midnight.
 */
export function daysOf(from: Moment, until: Moment): { first: string; last: string } {
  return { first: day(from), last: day(millis(until) - 1) }
}

/** "5月1日 周五" or "Fri 1 May". */
export function dayName(at: Moment): string {
  const ms = millis(at)
  if (Number.isNaN(ms)) return ''
  return new Intl.DateTimeFormat(lang.value === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: zone, month: lang.value === 'zh' ? 'long' : 'short', day: 'numeric', weekday: 'short',
  }).format(ms)
}

/** "3 天前", "2 hours ago"; the day itself when it is more than 30 days away. */
export function ago(at: Moment, now: number = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - millis(at)) / 1000))
  const zh = lang.value === 'zh'
  if (Number.isNaN(seconds)) return ''
  if (seconds < 60) return zh ? '刚刚' : 'just now'
  const [n, unit] = seconds < 3600 ? [Math.floor(seconds / 60), 0] : seconds < 86_400 ? [Math.floor(seconds / 3600), 1] : [Math.floor(seconds / 86_400), 2]
  if (unit === 2 && n > 30) return day(at)
  return zh ? `${n} ${['分钟', '小时', '天'][unit]}前` : `${n} ${['minute', 'hour', 'day'][unit]}${n === 1 ? '' : 's'} ago`
}

/** "1,234.50" of 123450 fen. */
export function yuan(fen: number): string {
  const whole = Math.trunc(Math.abs(fen) / 100)
  const rest = String(Math.abs(fen) % 100).padStart(2, '0')
  return `${fen < 0 ? '-' : ''}${whole.toString().replace(/\B(?=(\d{3})+$)/g, ',')}.${rest}`
}

/** Whole fen of what was typed, null when it is no amount. No floating point. */
export function fen(typed: string): number | null {
  const m = /^(-?)(\d{1,12})(?:\.(\d{1,2}))?$/.exec(typed.replace(/[,，\s¥￥]/g, ''))
  if (!m) return null
  const n = Number(m[2]) * 100 + Number((m[3] ?? '').padEnd(2, '0'))
  return m[1] && n ? -n : n
}

/** "1.4 MB". */
export function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  if (bytes < 1024 * 1024) return `${Math.round(bytes / 1024)} KB`
  return `${(bytes / 1024 / 1024).toFixed(1)} MB`
}

/** Keeps the first and last characters of something that must not be read in passing. */
export function mask(text: string, first: number, last: number): string {
  const chars = [...text]
  if (text.includes('*') || chars.length <= first + last) return text
  return chars.slice(0, first).join('') + '*'.repeat(chars.length - first - last) + chars.slice(chars.length - last).join('')
}

/** The first two and last two digits of a phone number, as the security centre shows it. */
export const maskPhone = (phone: string): string => mask(phone, 2, 2)

/** "zh***@example.edu". */
export function maskMail(mail: string): string {
  const at = mail.lastIndexOf('@')
  return at < 0 ? mask(mail, 2, 0) : mask(mail.slice(0, at), Math.min(2, at - 1), 0) + mail.slice(at)
}
