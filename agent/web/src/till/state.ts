// What the till's pages know and show, as one pure reducer: no clocks, no
// network, no Vue. Times called `now` are the page's own monotonic milliseconds.

import type { Cue } from '../state'
import type { Status, Texts } from '../types'
import { empty, isEmpty, linesOf, press, type Did, type Draft, type PadKey, type Prices } from './draft'
import type { EntryMode, Payment, Till, TillMessage } from './types'

/** How long a result stays on the cashier's stage, and before the customer's eyes. */
export const SHOW_MS = 4_000
export const THANK_MS = 6_000
/** Attempts that are remembered. */
const REMEMBERED = 20

/** The faces of a result: each has its own colour, shape and sound. */
export type Face = 'paid' | 'refused' | 'repeat' | 'amount' | 'confirm' | 'asking' | 'voided'

export interface State {
  connected: boolean
  status: Status | null
  /** `now` when the status came: ages count on from there. */
  statusAt: number
  texts: Texts | null
  till: Till | null
  payments: Payment[]
  shown: { id: string; at: number } | null
  /** What is keyed in. */
  draft: Draft
  /** Another way of entry than the till begins in. */
  chosen: EntryMode | null
  /** Rises with each sound to be made. */
  cue: { n: number; sound: Cue } | null
}

export type Happening =
  | { type: 'message'; message: TillMessage; now: number }
  | { type: 'result'; payment: Payment; now: number }
  | { type: 'draft'; draft: Draft }
  | { type: 'choose'; entry: EntryMode | null }
  | { type: 'dismiss' }
  | { type: 'lost' }
  | { type: 'tick'; now: number }

export function start(now: number): State {
  return {
    connected: false, status: null, statusAt: now, texts: null, till: null,
    payments: [], shown: null, draft: empty, chosen: null, cue: null,
  }
}

export function faceOf(p: Payment): Face {
  if (p.charge?.voided || p.annulled) return 'voided'
  if (p.reason === 'needs_input') return p.need === 'amount' || p.need === 'confirm' ? p.need : 'asking'
  if (p.repeat) return 'repeat'
  return p.reason === 'granted' || p.reason === 'attention' ? 'paid' : 'refused'
}

/** The event that a charge is voided by; "" where nothing was taken. */
export const eventOf = (p: Payment | null): string => p?.charge?.event ?? p?.event ?? ''

const cues: Record<Face, Cue | null> = {
  paid: 'granted', refused: 'denied', repeat: 'attention', amount: 'attention', confirm: 'question', asking: null, voided: null,
}

export function reduce(s: State, h: Happening): State {
  switch (h.type) {
    case 'message':
      return hear({ ...s, connected: true }, h.message, h.now)
    case 'result':
      return show(s, h.payment, h.now)
    case 'draft':
      return { ...s, draft: h.draft, shown: isEmpty(h.draft) ? s.shown : null }
    case 'choose':
      return { ...s, chosen: h.entry === s.till?.till?.entry ? null : h.entry, draft: empty }
    case 'dismiss':
      return { ...s, shown: null }
    case 'lost':
      return { ...s, connected: false }
    case 'tick':
      return s.shown && !question(s) && h.now - s.shown.at >= THANK_MS ? { ...s, shown: null } : s
  }
}

function hear(s: State, m: TillMessage, now: number): State {
  switch (m.type) {
    case 'state':
      return takeTill(begin({ ...s, status: m.status, statusAt: now, texts: m.texts }, m.scans ?? [], now), m.till ?? null)
    case 'status':
      return { ...s, status: m.status, statusAt: now }
    case 'texts':
      return { ...s, texts: m.texts }
    case 'scan':
      return show(s, m.scan, now)
    case 'till': {
      const { type: _, ...till } = m
      return takeTill(s, till)
    }
    default:
      return s // a newer agent may say more
  }
}

/**
 * Takes over a whole state. Results from before are listed and not shown: an old
 * green light is a wrong one. An open question is still to be answered.
 */
function begin(s: State, scans: Payment[], now: number): State {
  const payments = scans.slice(0, REMEMBERED)
  const first = payments[0]
  const still = s.shown && payments.some((p) => p.id === s.shown?.id)
  return { ...s, payments, shown: first && faceOf(first) === 'confirm' ? { id: first.id, at: now } : still ? s.shown : null }
}

/** Other rules make another till: what was keyed by the old ones is no sale of it. */
function takeTill(s: State, till: Till | null): State {
  if (!till) return s
  const changed = s.till && s.till.till?.version !== till.till?.version
  return { ...s, till, ...(changed && { draft: empty, chosen: null }) }
}

function show(s: State, p: Payment, now: number): State {
  const before = s.payments.find((x) => x.id === p.id)
  const payments = before ? s.payments.map((x) => (x.id === p.id ? p : x)) : [p, ...s.payments].slice(0, REMEMBERED)
  if (before && faceOf(before) === faceOf(p) && before.reason === p.reason) return { ...s, payments }
  if (before && before.reason !== 'needs_input' && p.reason === 'needs_input') return s // older, by another way
  const face = faceOf(p)
  const sound = cues[face]
  return {
    ...s,
    payments,
    shown: { id: p.id, at: now },
    cue: sound ? { n: (s.cue?.n ?? 0) + 1, sound } : s.cue,
  }
}

const onShow = (s: State): Payment | null => (s.shown && s.payments.find((p) => p.id === s.shown?.id)) ?? null

/** What the cashier has to answer: whether the same holder pays once more. */
export function question(s: State): Payment | null {
  const p = onShow(s)
  return p && faceOf(p) === 'confirm' ? p : null
}

/** The result on show, if it came less than `ms` ago; a question stays. */
export function shownPayment(s: State, now: number, ms: number): Payment | null {
  return s.shown && now - s.shown.at < ms ? onShow(s) : question(s)
}

export const entryOf = (s: State): EntryMode => s.chosen ?? s.till?.till?.entry ?? 'amount'

export function pricesOf(s: State): Prices {
  const entry = entryOf(s)
  const each = entry === 'fixed' ? (s.till?.till?.fixed_fen ?? 0) : entry === 'period' ? (s.till?.period?.price_fen ?? 0) : 0
  return { entry, each, menu: s.till?.till?.menu ?? [] }
}

/** The agent's clock, counted on since it last spoke. */
export const agentNow = (s: State, now: number): number => (s.status ? s.status.now + Math.max(0, now - s.statusAt) : 0)

/** Why nothing can be charged, the gravest first; null when all is in order. */
export type Trouble = 'starting' | 'lost' | 'rules' | 'clock' | 'shift' | 'batch' | 'period'

export function troubleOf(s: State): Trouble | null {
  if (!s.status || (!s.till && s.connected)) return 'starting'
  if (!s.connected) return 'lost'
  if (!s.till?.till) return 'rules'
  if (!s.status.clock.trusted) return 'clock'
  if (s.status.shift.required && !s.till.cashier) return 'shift'
  if (!s.till.batch.open) return 'batch'
  if (entryOf(s) === 'period' && !s.till.period?.price_fen && isEmpty(s.draft) && !s.till.sale) return 'period'
  return null
}

/** What a key of the keypad makes of the state, and what the agent is to be told. */
export type Order = Did | 'disarm' | 'again' | 'once'

export function key(s: State, k: PadKey): { state: State; order: Order } {
  if (question(s) && k !== '/') return { state: s, order: k === 'Enter' ? 'again' : k === '-' ? 'once' : 'wrong' }
  const armed = isEmpty(s.draft) ? s.till?.sale : null
  if (armed && k !== '/') {
    // Enter: the armed sale stands. A new amount, or -, takes it back; + goes on from it.
    if (k === 'Enter') return { state: { ...s, shown: null }, order: 'nothing' }
    if (k === '-') return { state: { ...s, shown: null }, order: 'disarm' }
    const from = k === '+' ? { ...empty, lines: linesOf(armed) } : null
    if (from) return { state: { ...s, shown: null, draft: from }, order: 'disarm' }
    const { draft, did } = press(empty, k, pricesOf(s))
    return did === 'typed' ? { state: { ...s, shown: null, draft }, order: 'disarm' } : { state: s, order: did }
  }
  const { draft, did } = press(s.draft, k, pricesOf(s))
  const shown = did === 'wrong' || did === 'functions' ? s.shown : null
  return { state: { ...s, draft, shown }, order: did }
}
