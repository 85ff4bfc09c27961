// Business days and what stands in the way of closing one.

import { yuan } from '@shared/format'
import './words'

export interface Day { day: string; state: 'open' | 'closed'; closed_at?: number; closed_by?: string; charges: number; fen: number; late_fen: number; refund_fen: number }

export interface Total { merchant: number; merchant_name: string; till: number; till_name: string; period: string; late: boolean; charges: number; voids: number; fen: number }

export interface Batch {
  till: number; till_name: string; agent: number; epoch: number; number: number; opened_at: number; closed_at?: number
  charges: number; voids: number; fen: number; server_charges: number; server_voids: number; server_fen: number
}

export interface Gap { gate: number; agent: number; epoch: number; from: number; to: number; day: string; fen?: number; waived?: { by: string; at: number; reason: string } }

export interface Difference {
  what: 'till' | 'merchant' | 'batch'; ref: string; name: string; till_fen?: number; server_fen?: number; merchant_fen?: number
  accepted?: { owner: string; at: number; reason: string }
}

export interface Report {
  day: string
  state: 'open' | 'closed'
  closed_at?: number
  closed_by?: string
  totals: Total[] | null
  refund_fen: number
  batches: Batch[] | null
  gaps: Gap[] | null
  differences: Difference[] | null
  backlogs: { till: number; till_name: string; records: number; seen_at: number }[] | null
  checks: { till_fen: number; server_fen: number; merchant_fen: number }
}

export interface Refund { id: string; charge: string; amount_fen: number; reason: string; day: string; by: string; at: number }

/** "17", or "17–21". */
export const numbersOf = (gap: Gap): string => (gap.from === gap.to ? String(gap.from) : `${gap.from}–${gap.to}`)

/** What the missing records come to that somebody has answered for. */
export const waivedFen = (report: Report): number => (report.gaps ?? []).reduce((sum, gap) => sum + (gap.waived ? (gap.fen ?? 0) : 0), 0)

/** Whether the three sums agree, but for what was waived. */
export function agree(report: Report): boolean {
  const { till_fen: till, server_fen: server, merchant_fen: merchant } = report.checks
  return till - waivedFen(report) === server && server === merchant
}

export const agrees = (batch: Batch): boolean => batch.fen === batch.server_fen && batch.charges === batch.server_charges && batch.voids === batch.server_voids

export const net = (totals: readonly Total[]): number => totals.reduce((sum, one) => sum + one.fen, 0)

/** A line of the totals: one of them, or a sum. */
export interface Line { key: string; kind: 'line' | 'merchant' | 'all'; merchant: string; till: string; period: string; charges: number; voids: number; fen: number }

/** Totals with a sum after each merchant that has several, and one of all. */
export function linesOf(totals: readonly Total[], called: { sumOf(name: string): string; sum: string; period(id: string): string }): Line[] {
  const lines: Line[] = []
  const add = (key: string, kind: Line['kind'], merchant: string, of: readonly Total[]) => {
    const sum = (part: (one: Total) => number) => of.reduce((all, one) => all + part(one), 0)
    lines.push({ key, kind, merchant, till: '', period: '', charges: sum((one) => one.charges), voids: sum((one) => one.voids), fen: sum((one) => one.fen) })
  }
  for (const id of new Set(totals.map((one) => one.merchant))) {
    const of = totals.filter((one) => one.merchant === id)
    for (const one of of) {
      lines.push({ key: `${id} ${one.till} ${one.period} ${one.late}`, kind: 'line', merchant: one.merchant_name, till: one.till_name, period: called.period(one.period), charges: one.charges, voids: one.voids, fen: one.fen })
    }
    if (of.length > 1) add('merchant ' + id, 'merchant', called.sumOf(of[0]!.merchant_name), of)
  }
  if (lines.length > 1) add('all', 'all', called.sum, totals)
  return lines
}

/** Count, voids and sum as one cell. */
export const three = (charges: number, voids: number, fen: number): string => `${charges} / ${voids} / ${yuan(fen)}`
