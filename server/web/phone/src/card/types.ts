// What the server says of cards, recharges and meters. Money is whole fen.

export type CardState = 'active' | 'lost' | 'frozen' | 'closed'

interface Caps {
  per_tx_fen: number // 0 = no limit
  per_meal_fen: number
  per_day_fen: number
}

interface Offline {
  enabled: boolean
  per_tx_fen: number
  per_day_fen: number
  max_tx: number
}

export interface MyCard {
  account: string
  number: string
  name_masked: string
  state: CardState
  balance_fen: number
  main_fen: number
  subsidy_fen: number
  debt_fen: number // 0 or negative
  held_fen: number
  /** In force. */
  limits: Caps
  offline: Offline
  /** What the campus allows at most. */
  most: { limits: Caps; offline: Offline }
  has_password: boolean
  lost_at?: number
  phone?: { id: string; enrolled_at: number; expires_at: number }
}

export interface Names {
  zh: string
  en: string
}

export interface CardEntry {
  seq: number
  id: string
  kind: string
  title: Names
  at: number
  posted_at: number
  amount_fen: number
  balance_fen: number
  place: string
  flags: string[]
  order?: string
}

export interface CardEntries {
  entries: CardEntry[]
  next: number // 0 = no more
}

export interface CardStatement {
  month: string
  opening_fen: number
  closing_fen: number
  in_fen: number
  out_fen: number
  entries: CardEntry[] // oldest first
}

export interface PayChannel {
  id: string
  name: Names
  ways: string[]
}

export interface RechargeOptions {
  amounts_fen: number[]
  min_fen: number
  max_fen: number
  channels: PayChannel[]
  warning: Names
  account: string
  holder_masked: string
}

export interface Recharge {
  order: string
  state: 'created' | 'paid' | 'failed' | 'closed' | 'refunded'
  amount_fen: number
  account: string
  holder_masked: string
  channel: string
  way: string
  pay: { kind: 'native' | 'jsapi' | 'page' | 'trial'; text?: string; params?: Record<string, string>; url?: string } | null
  /** Paid, and the office decides what becomes of it. */
  waits: boolean
  created_at: number
  expires_at: number
  paid_at?: number
  credited_at?: number
  refunded_at?: number
}

/** A page of what is listed newest first. */
export interface Before<T> {
  items: T[]
  next: number
}

export interface Meter {
  id: string
  room: string
  balance_fen: number
  reading?: string
}

export type UtilityName = 'electricity' | 'hot_water'

export interface UtilityKind {
  kind: UtilityName
  name: Names
  meters: Meter[]
  available: boolean
  amounts_fen: number[]
  max_fen: number
}

export interface UtilityPayment {
  id: string
  state: 'pending' | 'done' | 'failed'
  kind: UtilityName
  name: Names
  meter: string
  room: string
  amount_fen: number
  created_at: number
  done_at?: number
  failed_at?: number
}
