import { describe, expect, it } from 'vitest'
import { agree, linesOf, net, numbersOf, waivedFen, type Gap, type Report, type Total } from './days'

const gap = (more: Partial<Gap> = {}): Gap => ({ gate: 3, agent: 7, epoch: 1, from: 17, to: 18, day: '2026-05-01', ...more })
const report = (till: number, server: number, merchant: number, gaps: Gap[] = []): Report => ({
  day: '2026-05-01', state: 'open', totals: [], refund_fen: 0, batches: [], gaps, differences: [], backlogs: [], checks: { till_fen: till, server_fen: server, merchant_fen: merchant },
})
const total = (merchant: number, till: number, period: string, fen: number, charges = 1): Total => ({ merchant, merchant_name: 'M' + merchant, till, till_name: 'T' + till, period, late: false, charges, voids: 0, fen })

describe('a business day', () => {
  it('agrees when three sums are one', () => {
    expect(agree(report(500, 500, 500))).toBe(true)
    expect(agree(report(0, 0, 0))).toBe(true)
    for (const [a, b, c] of [[501, 500, 500], [500, 501, 500], [500, 500, 501]] as const) expect(agree(report(a, b, c))).toBe(false)
  })
  it('agrees with a gap only when somebody has answered for it', () => {
    const waived = { by: '2006020', at: 1, reason: '断电' }
    expect(agree(report(800, 500, 500, [gap({ fen: 300 })]))).toBe(false)
    expect(agree(report(800, 500, 500, [gap({ fen: 300, waived })]))).toBe(true)
    expect(waivedFen(report(0, 0, 0, [gap({ waived })]))).toBe(0) // nobody knows what they come to
  })
  it('names missing numbers', () => {
    expect([numbersOf(gap()), numbersOf(gap({ to: 17 }))]).toEqual(['17–18', '17'])
  })
  it('adds up each merchant, and all', () => {
    const called = { sumOf: (name: string) => name + ' sum', sum: 'all', period: (id: string) => id || '-' }
    const lines = linesOf([total(1, 3, 'lunch', 1_000), total(1, 4, 'lunch', 500), total(2, 5, '', -20)], called)
    expect(lines.map((one) => [one.kind, one.merchant, one.till, one.period, one.fen])).toEqual([
      ['line', 'M1', 'T3', 'lunch', 1_000], ['line', 'M1', 'T4', 'lunch', 500], ['merchant', 'M1 sum', '', '', 1_500], ['line', 'M2', 'T5', '-', -20], ['all', 'all', '', '', 1_480],
    ])
    expect(lines.at(-1)?.charges).toBe(3)
    expect(linesOf([], called)).toEqual([])
    expect(net([total(1, 1, '', 5), total(1, 1, '', -2)])).toBe(3)
  })
})
