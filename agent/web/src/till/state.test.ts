import { describe, expect, it } from 'vitest'
import type { Status, Texts } from '../types'
import type { PadKey } from './draft'
import { faceOf, key, pricesOf, reduce, SHOW_MS, shownPayment, start, THANK_MS, troubleOf, type Happening, type Order, type State } from './state'
import type { Payment, Sale, Till } from './types'
import { named, t, textOf } from './words'

const status = { now: 1_000_000, online: true, lanes: [], clock: { trusted: true }, shift: { required: false, guard: null } } as unknown as Status
const texts: Texts = {
  reasons: { zh: { insufficient_balance: { word: '拒绝', title: '余额不足', next: '请先充值' } }, en: {} }, documents: [], rules: [], addresses: [],
}
const till: Till = {
  till: { name: '一窗', merchant: '一食堂', version: 'v1', entry: 'amount', fixed_fen: 800 },
  period: { id: 'l', name: '午餐', name_en: 'Lunch', price_fen: 1200, until: 780 }, day: '2026-11-22',
  batch: { number: 3, open: true, opened_at: 1, charges: 0, voids: 0, total_fen: 0 },
  sale: null, offline: false, backlog: { records: 0, fen: 0, oldest_at: 0 }, snapshot_age_ms: 0, cashier: null, last: null,
}
const armed: Sale = { entry: 'amount', amount_fen: 1250, armed: true }

let n = 0
function payment(part: Partial<Payment> = {}): Payment {
  n++
  return {
    id: `p${n}`, at: 1_000_000 + n, lane: '窗口', direction: 'in', source: 'serial', reason: 'granted', opens: true,
    charge: { amount_fen: 1250, day: '2026-11-22', batch: 3 }, ...part,
  }
}
const opened = (part: Partial<Till> = {}): Happening => ({
  type: 'message', message: { type: 'state', status, scans: [], texts, till: { ...till, ...part } }, now: 0,
})
const told = (part: Partial<Till>): Happening => ({ type: 'message', message: { type: 'till', ...till, ...part }, now: 0 })
const came = (p: Payment, now = 0): Happening => ({ type: 'message', message: { type: 'scan', scan: p }, now })
const play = (...list: Happening[]): State => list.reduce(reduce, start(0))

function keys(s: State, text: string): { state: State; orders: Order[] } {
  const orders: Order[] = []
  for (const c of text) {
    const r = key(s, (c === 'E' ? 'Enter' : c) as PadKey)
    s = r.state
    orders.push(r.order)
  }
  return { state: s, orders }
}

describe('a result', () => {
  it('is shown to the cashier for four seconds, and to the customer a little longer', () => {
    const p = payment()
    const s = play(opened(), came(p, 100))
    expect(shownPayment(s, 100 + SHOW_MS - 1, SHOW_MS)).toBe(p)
    expect(shownPayment(s, 100 + SHOW_MS, SHOW_MS)).toBeNull()
    expect(shownPayment(s, 100 + SHOW_MS, THANK_MS)).toBe(p)
    expect(reduce(s, { type: 'tick', now: 100 + THANK_MS }).shown).toBeNull()
  })

  it('that comes twice sounds once', () => {
    const p = payment()
    const s = play(opened(), came(p, 0), { type: 'result', payment: { ...p }, now: 500 })
    expect(s.cue?.n).toBe(1)
    expect(s.shown?.at).toBe(0)
  })

  it('is not undone by the question before it', () => {
    const p = payment()
    const s = play(opened(), came(p), came({ ...p, reason: 'needs_input', need: 'claim' }))
    expect(faceOf(s.payments[0]!)).toBe('paid')
  })

  it('has a face and a sound of its own', () => {
    const of = (part: Partial<Payment>): [string, string | undefined] => {
      const p = payment(part)
      return [faceOf(p), play(opened(), came(p)).cue?.sound]
    }
    expect(of({})).toEqual(['paid', 'granted'])
    expect(of({ reason: 'insufficient_balance' })).toEqual(['refused', 'denied'])
    expect(of({ repeat: true })).toEqual(['repeat', 'attention'])
    expect(of({ reason: 'needs_input', need: 'amount' })).toEqual(['amount', 'attention'])
    expect(of({ reason: 'needs_input', need: 'confirm' })).toEqual(['confirm', 'question'])
    expect(of({ reason: 'needs_input', need: 'claim' })).toEqual(['asking', undefined])
    expect(of({ charge: { amount_fen: 1, day: '', batch: 1, voided: true } })).toEqual(['voided', undefined])
  })

  it('from before the page was opened is listed and not shown', () => {
    const s = play({ type: 'message', message: { type: 'state', status, scans: [payment()], texts, till }, now: 0 })
    expect([s.shown, s.payments.length]).toEqual([null, 1])
  })
})

describe('the same holder once more', () => {
  const asked = payment({ reason: 'needs_input', need: 'confirm', opens: false })

  it('is asked about until the cashier answers', () => {
    const s = play(opened(), came(asked), { type: 'tick', now: 60_000 })
    expect(shownPayment(s, 60_000, SHOW_MS)).toBe(asked)
    expect(keys(s, 'E-5/').orders).toEqual(['again', 'once', 'wrong', 'functions'])
    const paid = reduce(s, came({ ...asked, reason: 'granted', need: undefined }, 60_000))
    expect(faceOf(shownPayment(paid, 60_000, SHOW_MS)!)).toBe('paid')
    expect(shownPayment(paid, 60_000 + SHOW_MS, SHOW_MS)).toBeNull()
  })

  it('is asked about by a page that was loaded meanwhile', () => {
    const s = play({ type: 'message', message: { type: 'state', status, scans: [asked, payment()], texts, till }, now: 0 })
    expect(shownPayment(s, 60_000, SHOW_MS)).toBe(asked)
  })
})

describe('keys', () => {
  it('arm a sale', () => {
    expect(keys(play(opened()), '12.5E').orders).toEqual(['typed', 'typed', 'typed', 'typed', 'arm'])
  })

  it('end the result on show', () => {
    const s = play(opened(), came(payment()))
    expect(keys(s, '8').state.shown).toBeNull()
    expect(keys(s, '-').state.shown).toBeNull()
    expect(keys(s, '/').state.shown).not.toBeNull()
  })

  it('take an armed sale back before anybody pays another amount', () => {
    const s = play(opened({ sale: armed }))
    expect(keys(s, '8').orders).toEqual(['disarm'])
    expect(keys(s, '8').state.draft.typed).toBe('8')
    expect(keys(s, '-').orders).toEqual(['disarm'])
    expect(keys(s, 'E').orders).toEqual(['nothing'])
    expect(keys(s, '.+').orders[0]).toBe('disarm')
    expect(keys(s, '*').orders).toEqual(['wrong'])
  })

  it('go on from an armed sale with +', () => {
    const { state, orders } = keys(play(opened({ sale: armed })), '+3E')
    expect(orders).toEqual(['disarm', 'typed', 'arm'])
    expect(state.draft.lines.map((l) => l.fen)).toEqual([1250, 300])
  })

  it('go on after a refusal with what is still armed', () => {
    const s = play(opened({ sale: armed }), came(payment({ reason: 'insufficient_balance' })))
    const { state, orders } = keys(s, 'E')
    expect(orders).toEqual(['nothing'])
    expect(state.shown).toBeNull()
    expect(state.till?.sale).toEqual(armed)
  })
})

describe('the till', () => {
  it('has prices by its entry, or by another that was chosen', () => {
    const s = play(opened())
    expect(pricesOf(s)).toMatchObject({ entry: 'amount', each: 0 })
    expect(pricesOf(reduce(s, { type: 'choose', entry: 'fixed' }))).toMatchObject({ entry: 'fixed', each: 800 })
    expect(pricesOf(reduce(s, { type: 'choose', entry: 'period' }))).toMatchObject({ entry: 'period', each: 1200 })
    expect(reduce(reduce(s, { type: 'choose', entry: 'fixed' }), { type: 'choose', entry: 'amount' }).chosen).toBeNull()
  })

  it('forgets what was keyed by other rules', () => {
    const s = keys(play(opened()), '12').state
    expect(reduce(s, told({})).draft.typed).toBe('12')
    expect(reduce(s, told({ till: { ...till.till!, version: 'v2' } })).draft.typed).toBe('')
  })

  it('says why it cannot charge', () => {
    const of = (part: Partial<Till>, more: Partial<Status> = {}): string | null =>
      troubleOf(play(opened(part), { type: 'message', message: { type: 'status', status: { ...status, ...more } }, now: 0 }))
    expect(of({})).toBeNull()
    expect(of({ batch: { ...till.batch, open: false } })).toBe('batch')
    expect(of({}, { shift: { required: true, guard: null } })).toBe('shift')
    expect(of({}, { clock: { ...status.clock, trusted: false } })).toBe('clock')
    expect(of({ till: null })).toBe('rules')
    expect(of({ till: { ...till.till!, entry: 'period' }, period: null })).toBe('period')
    expect(troubleOf(start(0))).toBe('starting')
    expect(troubleOf(play(opened(), { type: 'lost' }))).toBe('lost')
  })

  it('ignores what a newer agent may add', () => {
    const s = play(opened())
    expect(reduce(s, { type: 'message', message: { type: 'news' } as never, now: 1 })).toEqual(s)
  })

  it('remembers a bounded number of payments', () => {
    expect(play(opened(), ...Array.from({ length: 90 }, () => came(payment()))).payments.length).toBeLessThanOrEqual(20)
  })
})

describe('words', () => {
  it('come from the agent, unless they read otherwise at a till', () => {
    expect(textOf(texts, payment({ reason: 'insufficient_balance' }), 'refused', 'zh').title).toBe('余额不足')
    expect(textOf(texts, payment({ reason: 'expired' }), 'refused', 'en').title).toBe('Payment code has expired')
    expect(textOf(texts, payment(), 'paid', 'zh').word).toBe('收款成功')
    expect(textOf(null, payment({ reason: 'novel' }), 'refused', 'en')).toEqual({ word: 'Not paid', title: 'novel', next: '' })
  })

  it('come in both languages', () => {
    expect(t('void_title', { price: '¥1.00' }, 'en')).toBe('Void ¥1.00')
    expect(named({ name: '午餐', name_en: 'Lunch' }, 'en')).toBe('Lunch')
    expect(named({ name: '午餐' }, 'en')).toBe('午餐')
  })
})
