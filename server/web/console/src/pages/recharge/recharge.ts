// Orders of recharges, what is wrong with some, and the channels' bills.

import { yuan } from '@shared/format'
import type { Column } from '../../columns'
import { option } from '../../fields'
import { i18n, t } from '../../i18n'
import './words'

export interface Order {
  order: string
  state: 'created' | 'paid' | 'failed' | 'closed' | 'refunded'
  amount_fen: number
  account: string
  holder_masked: string
  channel: string
  way: string
  waits: boolean
  created_at: number
  expires_at: number
  paid_at?: number
  credited_at?: number
  refunded_at?: number
  person: string
  trade: string
}

export interface Issue {
  id: number
  kind: string
  channel: string
  order: string
  what: string
  amount_fen: number
  found_at: number
  resolved_at?: number
  resolved_by?: string
  note?: string
}

export interface BillLine { kind: 'missing_here' | 'missing_there' | 'differs'; order: string; trade: string; bill_fen: number; our_fen: number }

export interface Bill {
  channel: string
  day: string
  fetched_at: number
  fetched_by: string
  lines: number
  paid_fen: number
  refunded_fen: number
  matched: number
  recovered: number
  missing_here: BillLine[]
  missing_there: BillLine[]
  differs: BillLine[]
}

export const orderStates = ['created', 'paid', 'failed', 'closed', 'refunded'] as const

export const channels = ['wechat', 'alipay', 'trial'] as const

export const channelOptions = () => channels.map((one) => option(one, 'recharge_channel_' + one))

/** A channel's name; one that the console does not know is called by its id. */
export const channelName = (id: string): string => (i18n.global.te('recharge_channel_' + id) ? t('recharge_channel_' + id) : id)

/** All that a bill and our orders do not agree on. */
export const linesOf = (bill: Bill): BillLine[] => [...bill.missing_here, ...bill.missing_there, ...bill.differs]

export const lineColumns: Column<BillLine>[] = [
  { id: 'kind', word: 'bill_kind', text: (one) => t('bill_kind_' + one.kind), nowrap: true },
  { id: 'order', word: 'recharge_order', text: (one) => one.order },
  { id: 'trade', word: 'recharge_trade', text: (one) => one.trade },
  { id: 'there', word: 'bill_there', text: (one) => (one.kind === 'missing_there' ? '—' : yuan(one.bill_fen)), align: 'right', nowrap: true },
  { id: 'here', word: 'bill_here', text: (one) => (one.kind === 'missing_here' ? '—' : yuan(one.our_fen)), align: 'right', nowrap: true },
]
