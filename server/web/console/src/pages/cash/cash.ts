// The cash desk: shifts, and money over the counter.

import './words'

export interface Shift {
  id: number
  clerk: string
  state: 'open' | 'closed'
  float_fen: number
  in_fen: number
  out_fen: number
  moves: number
  expected_fen: number
  counted_fen: number
  difference_fen: number
  opened_at: number
  closed_at?: number
}

export interface Move {
  id: string
  shift: number
  kind: 'cash' | 'payout'
  account: string
  holder_masked: string
  amount_fen: number
  balance_fen: number
  at: number
}

/** Amounts with a button of their own, in fen. */
export const amounts = [1000, 2000, 3000, 5000, 10000, 20000] as const

/** What may be an account number: digits, as people type them. */
export const accountOf = (typed: string): string => typed.replace(/[\s-]/g, '')
