// Merchants, their tills, and what these reported of money.

import { get } from '@shared/api'
import { yuan } from '@shared/format'
import type { Option } from '@shared/types'
import { i18n, t } from '../../i18n'
import type { Agent } from '../gates/gates'
import type { Rules } from './rules'
import './words'

export interface Merchant { id: number; name: string; managers: string[]; active: boolean; created_at: number }

export interface TillBatch { number: number; opened_at?: number; closed_at?: number; charges: number; voids: number; total_fen: number; server_fen: number }

export interface Till {
  id: number
  name: string
  zone: number
  place: string
  merchant: number
  merchant_name: string
  version: number
  rules: Rules
  agent?: Agent
  last_batch?: TillBatch
}

export interface Charge {
  event: string
  kind: 'charge' | 'void' | 'declined'
  till: number
  till_name: string
  merchant: number
  account: string
  at: number
  received_at: number
  day: string
  settle_day: string
  period: string
  batch: number
  flow: number
  amount_fen: number
  entry: string
  items: { key: number; name: string; quantity: number; price_fen: number }[]
  cashier: string
  reason: string
  transfer: string
  main_fen: number
  subsidy_fen: number
  debt_fen: number
  suspense_fen: number
  voids?: string
  voided_by?: string
  flags: string[]
}

export interface Turnover { key: string; name: string; charges: number; voids: number; taken_fen: number; back_fen: number; net_fen: number }

export const flags = ['offline', 'late', 'after_loss', 'disputed', 'debt', 'voided', 'declined'] as const

/** What tills and merchants are called, for lists and choices. */
export interface Names {
  merchants: Option[]
  tills: Option[]
  periods: Option[]
  merchant(id: number): string
  /** A meal period by its id; between meals it has none. */
  period(id: string): string
}

export const noNames: Names = { merchants: [], tills: [], periods: [], merchant: String, period: (id) => id }

export async function canteenNames(): Promise<Names> {
  const [{ merchants }, { tills }] = await Promise.all([get<{ merchants: Merchant[] }>('/merchants'), get<{ tills: Till[] }>('/tills')])
  const periods = new Map(tills.flatMap((till) => (till.rules.periods ?? []).map((one) => [one.id, one] as const)))
  return {
    merchants: merchants.map((one) => ({ value: String(one.id), label: one.name })),
    tills: tills.map((one) => ({ value: String(one.id), label: one.name })),
    periods: [...periods.values()].map((one) => ({ value: one.id, label: one.name, en: one.name_en })),
    merchant: (id) => merchants.find((one) => one.id === id)?.name ?? String(id),
    period: (id) => {
      const one = periods.get(id)
      if (!id) return t('charge_between')
      return (i18n.global.locale.value === 'en' && one?.name_en) || one?.name || id
    },
  }
}

/** What a record moved: less for a void; nothing was moved by one that was declined. */
export const moved = (one: Charge): string => (one.kind === 'void' ? '-' : '') + yuan(one.amount_fen)

/** Sums of a day. */
export function sumOf(rows: readonly Turnover[]): { net: number; charges: number; voids: number; back: number; mean: number } {
  const add = (of: (one: Turnover) => number) => rows.reduce((sum, one) => sum + of(one), 0)
  const charges = add((one) => one.charges) - add((one) => one.voids)
  const net = add((one) => one.net_fen)
  return { net, charges: add((one) => one.charges), voids: add((one) => one.voids), back: add((one) => one.back_fen), mean: charges > 0 ? Math.round(net / charges) : 0 }
}
