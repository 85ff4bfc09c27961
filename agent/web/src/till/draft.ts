// A sale that is being keyed in: what each key of a numeric keypad makes of it.
// Pure, so that every key can be tested; nothing here reaches the agent.

import { extended, fenOf, MAX_FEN, quantityOf } from './money'
import type { ChargeItem, EntryMode, MenuKey, SaleRequest } from './types'

/** The keys of a numeric keypad. `-` clears, `/` opens the functions. */
export type PadKey = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '.' | '+' | '-' | '*' | '/' | 'Enter'

/** One position: so many at this price; `key` where it is of the menu. */
export interface Line {
  quantity: number
  fen: number
  key?: number
  name?: string
  name_en?: string
}

export interface Draft {
  lines: Line[]
  /** What was typed before `*`; null before that. */
  times: string | null
  typed: string
}

/** What the keys mean: how a sale comes about, and its prices. */
export interface Prices {
  entry: EntryMode
  /** Of the fixed price or the meal period; 0 = there is none now. */
  each: number
  menu: MenuKey[]
}

/** What a key did. Where it was `wrong` nothing has changed. */
export type Did = 'typed' | 'cleared' | 'arm' | 'functions' | 'nothing' | 'wrong'

export const MAX_LINES = 40

export const empty: Draft = { lines: [], times: null, typed: '' }

export const isEmpty = (d: Draft): boolean => d.lines.length === 0 && d.times === null && d.typed === ''

export const totalOf = (lines: Line[]): number => lines.reduce((sum, l) => sum + l.quantity * l.fen, 0)

export function press(d: Draft, key: PadKey, p: Prices): { draft: Draft; did: Did } {
  const did = (what: Did, draft = d): { draft: Draft; did: Did } => ({ draft, did: what })
  switch (key) {
    case '/':
      return did('functions')
    case '-':
      return isEmpty(d) ? did('nothing') : did('cleared', back(d))
    case '*':
      return d.times !== null || !d.typed || d.typed === '.' ? did('wrong') : did('typed', { ...d, times: d.typed, typed: '' })
    case '+': {
      const next = isOpen(d) ? complete(d, p) : null
      return next ? did('typed', next) : did('wrong')
    }
    case 'Enter': {
      if (isEmpty(d)) return did(p.each > 0 && p.entry !== 'menu' && p.entry !== 'amount' ? 'nothing' : 'wrong')
      const next = isOpen(d) ? complete(d, p) : d
      return next ? did('arm', next) : did('wrong')
    }
    default: {
      const typed = p.entry === 'menu' ? menuTyped(d, key) : extended(d.typed, key)
      return typed === null ? did('wrong') : did('typed', { ...d, typed })
    }
  }
}

/** Whether a position is still being typed. */
const isOpen = (d: Draft): boolean => d.typed !== '' || d.times !== null

/** `-` takes back what is being typed, and after that the last position. */
function back(d: Draft): Draft {
  if (isOpen(d)) return { ...d, times: null, typed: '' }
  return { ...d, lines: d.lines.slice(0, -1) }
}

/** Of a menu only whole numbers up to 99 are typed: quantities and keys. */
function menuTyped(d: Draft, key: string): string | null {
  const next = d.typed + key
  return quantityOf(next) === null ? null : next
}

/** The menu key that is being typed, if there is one of that number. */
export const pointed = (d: Draft, p: Prices): MenuKey | null =>
  p.entry === 'menu' && d.typed ? (p.menu.find((m) => m.key === Number(d.typed)) ?? null) : null

/** Ends the position that is being typed; null when it is none. */
function complete(d: Draft, p: Prices): Draft | null {
  const line = p.entry === 'menu' ? menuLine(d, p) : amountLine(d, p)
  return line && withLine({ ...d, times: null, typed: '' }, line)
}

function menuLine(d: Draft, p: Prices): Line | null {
  const key = pointed(d, p)
  const quantity = d.times === null ? 1 : quantityOf(d.times)
  return key && quantity ? lineOf(key, quantity) : null
}

export const lineOf = (k: MenuKey, quantity: number): Line => ({
  quantity, fen: k.price_fen, key: k.key, name: k.name, ...(k.name_en && { name_en: k.name_en }),
})

/** An amount, or one times a quantity, in whichever order; at a fixed price the quantity alone. */
function amountLine(d: Draft, p: Prices): Line | null {
  if (d.times === null) {
    const fen = fenOf(d.typed)
    return fen ? { quantity: 1, fen } : null
  }
  const [first, second] = [quantityOf(d.times), quantityOf(d.typed)]
  if (first && d.typed === '') return p.each > 0 ? { quantity: first, fen: p.each } : null
  const fen = fenOf(first ? d.typed : d.times)
  const quantity = first ?? second
  return fen && quantity ? { quantity, fen } : null
}

/** Adds a position; the same menu key twice is one position. Null beyond the limits. */
export function withLine(d: Draft, line: Line): Draft | null {
  const same = d.lines.findIndex((l) => l.key !== undefined && l.key === line.key)
  const lines = same < 0 ? [...d.lines, line] : d.lines.map((l, i) => (i === same ? { ...l, quantity: l.quantity + line.quantity } : l))
  if (lines.length > MAX_LINES || totalOf(lines) > MAX_FEN || lines.some((l) => l.quantity > 99)) return null
  return { ...d, lines }
}

/** What a sale of these positions is called towards the agent. */
export function saleOf(lines: Line[], sticky: boolean): SaleRequest {
  const kept = sticky ? { sticky } : {}
  if (lines.every((l) => l.key !== undefined)) {
    return { entry: 'menu', items: lines.map((l) => ({ key: l.key!, quantity: l.quantity })), ...kept }
  }
  return { entry: 'amount', amount_fen: totalOf(lines), ...kept }
}

/** The positions of a sale that the agent holds, to go on from there. */
export function linesOf(sale: { amount_fen: number; items?: ChargeItem[] }): Line[] {
  if (!sale.items?.length) return [{ quantity: 1, fen: sale.amount_fen }]
  return sale.items.map((i) => ({ quantity: i.quantity, fen: i.price_fen, key: i.key, name: i.name }))
}

/** The position being typed, as it reads: 3 × 8.5 */
export const expression = (d: Draft): string => (d.times === null ? d.typed : `${d.times} × ${d.typed}`)

/** What the display counts: all positions and the one being typed, as far as it is one. */
export function runningTotal(d: Draft, p: Prices): number {
  const next = isOpen(d) ? complete(d, p) : d
  return totalOf((next ?? d).lines)
}
