// The shapes that the agent's console sends where it runs a till; packages
// console and till have the originals. Money is fen, times are unix
// milliseconds, days are business days as 2006-01-02.

import type { Scan, Status, Texts } from '../types'

/** How the amount of a charge comes about. */
export type EntryMode = 'amount' | 'fixed' | 'period' | 'menu'

export interface MenuKey {
  /** 1 to 99, as typed. */
  key: number
  name: string
  name_en?: string
  price_fen: number
}

export interface ChargeItem {
  key: number
  name: string
  price_fen: number
  quantity: number
}

/** What came of a charge, beside what any scan has. */
export interface Charge {
  amount_fen: number
  entry?: EntryMode
  items?: ChargeItem[]
  /** What the holder can spend now; unknown offline. */
  balance_fen?: number
  /** Masked. */
  holder?: string
  period?: string
  day: string
  batch: number
  flow?: number
  offline?: boolean
  voided?: boolean
  event?: string
}

export interface Payment extends Scan {
  event?: string
  charge?: Charge
}

export interface Batch {
  number: number
  open: boolean
  opened_at: number
  closed_at?: number
  day?: string
  charges: number
  voids: number
  total_fen: number
}

export interface Sale {
  entry: EntryMode
  amount_fen: number
  items?: ChargeItem[]
  armed: boolean
  sticky?: boolean
}

export interface SaleRequest {
  entry: EntryMode
  amount_fen?: number
  items?: { key: number; quantity: number }[]
  sticky?: boolean
}

export interface Rules {
  name: string
  merchant: string
  version: string
  entry: EntryMode
  fixed_fen?: number
  menu?: MenuKey[]
}

export interface Period {
  id: string
  name: string
  name_en?: string
  price_fen: number
  until: number
}

export interface Cashier {
  number: string
  name: string
  supervisor: boolean
}

/** The till as it is. */
export interface Till {
  /** Null as long as no rules have come. */
  till: Rules | null
  period: Period | null
  day: string
  batch: Batch
  sale: Sale | null
  offline: boolean
  backlog: { records: number; fen: number; oldest_at: number }
  snapshot_age_ms: number
  cashier: Cashier | null
  last: Payment | null
}

export type TillMessage =
  | { type: 'state'; status: Status; scans?: Payment[]; texts: Texts; till?: Till }
  | { type: 'scan'; scan: Payment }
  | { type: 'status'; status: Status }
  | { type: 'texts'; texts: Texts }
  | ({ type: 'till' } & Till)
