// Money is fen, a whole number, from the first key to the last digit shown.

/** A till takes no more at once: ¥9,999.99. */
export const MAX_FEN = 999_999

/** Fen in yuan with two digits after the point: 1250 is 12.50. */
export function yuan(fen: number): string {
  const cents = Math.abs(fen)
  const whole = Math.trunc(cents / 100).toString().replace(/\B(?=(\d{3})+$)/g, ',')
  return `${fen < 0 ? '−' : ''}${whole}.${String(cents % 100).padStart(2, '0')}`
}

/** The same with the sign of the currency. */
export const price = (fen: number): string => (fen < 0 ? '−¥' : '¥') + yuan(Math.abs(fen))

/** What a key adds to an operand; null when there is no such amount. */
export function extended(typed: string, key: string): string | null {
  const next = typed === '0' && key !== '.' ? key : typed + key
  return /^\d{0,4}(\.\d{0,2})?$/.test(next) ? next : null
}

/** The fen of typed yuan: 12.5 is 1250. Null where nothing was typed that is an amount. */
export function fenOf(typed: string): number | null {
  const m = /^(\d{0,4})(?:\.(\d{0,2}))?$/.exec(typed)
  if (!m || (!m[1] && !m[2])) return null
  return Number(m[1] || '0') * 100 + Number((m[2] ?? '').padEnd(2, '0'))
}

/** A quantity: a whole number from 1 to 99. Null for anything else. */
export function quantityOf(typed: string): number | null {
  return /^[1-9]\d?$/.test(typed) ? Number(typed) : null
}
