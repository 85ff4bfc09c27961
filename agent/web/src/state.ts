// What the page knows and what its stage shows, as one pure reducer: no
// clocks, no network, no Vue. Times called `now` are the page's own monotonic
// milliseconds.

import type { HelpCall, Message, Scan, Status, Texts } from './types'

/** How long a result stays on the stage. */
export const SHOW_MS = 4_000
/** An admission can be taken back for so long. */
export const ANNUL_MS = 15 * 60_000
/** Attempts that are listed, and those that are remembered. */
export const LISTED = 8
const REMEMBERED = 40

/** The faces of a result: each has its own colour, shape and sound. */
export type Face = 'granted' | 'attention' | 'repeat' | 'denied' | 'used' | 'question' | 'confirm' | 'asking' | 'annulled'
export type Cue = 'granted' | 'attention' | 'denied' | 'question'

export interface State {
  connected: boolean
  status: Status | null
  /** `now` when the status came: ages count on from there. */
  statusAt: number
  texts: Texts | null
  scans: Scan[]
  /** Calls for help, oldest first. */
  calls: HelpCall[]
  /** Open questions by scan. */
  questions: Record<string, Scan>
  shown: { id: string; until: number | null } | null
  /** Rises with each sound to be made. */
  cue: { n: number; sound: Cue } | null
}

export type Happening =
  | { type: 'message'; message: Message; now: number }
  | { type: 'result'; scan: Scan; now: number }
  | { type: 'settled'; id: string }
  | { type: 'lost' }
  | { type: 'tick'; now: number }

export function start(now: number): State {
  return {
    connected: false, status: null, statusAt: now, texts: null,
    scans: [], calls: [], questions: {}, shown: null, cue: null,
  }
}

/** What a face depends on. */
export type Seen = Pick<Scan, 'annulled' | 'reason' | 'mark' | 'need' | 'repeat'>

export function faceOf(s: Seen): Face {
  if (s.annulled) return 'annulled'
  if (isQuestion(s)) return s.need === 'confirm' ? 'confirm' : 'question'
  if (s.reason === 'needs_input') return 'asking'
  if (s.repeat) return 'repeat'
  // Let in although nobody could confirm it: nothing that is as good as green.
  if (s.reason === 'granted') return s.mark === 'unconfirmed' ? 'attention' : 'granted'
  if (s.reason === 'attention') return 'attention'
  if (s.reason === 'already_used') return 'used'
  return 'denied'
}

const cues: Record<Face, Cue | null> = {
  granted: 'granted', attention: 'attention', repeat: 'attention', denied: 'denied', used: 'denied',
  question: 'question', confirm: 'question', asking: null, annulled: null,
}

function isQuestion(s: Seen): boolean {
  return s.reason === 'needs_input' && (s.need === 'document' || s.need === 'confirm') && !s.annulled
}

export function reduce(s: State, h: Happening): State {
  switch (h.type) {
    case 'message':
      return hear({ ...s, connected: true }, h.message, h.now)
    case 'result':
      return show(s, h.scan, h.now)
    case 'settled':
      return settle(s, h.id)
    case 'lost':
      return { ...s, connected: false }
    case 'tick':
      return tick(s, h.now)
  }
}

function hear(s: State, m: Message, now: number): State {
  switch (m.type) {
    case 'state':
      return begin({ ...s, status: m.status, statusAt: now, texts: m.texts, calls: m.calls ?? [] }, m.scans ?? [])
    case 'status':
      return { ...s, status: m.status, statusAt: now }
    case 'calls':
      return { ...s, calls: m.calls }
    case 'texts':
      return { ...s, texts: m.texts }
    case 'scan':
      return show(s, m.scan, now)
    default:
      return s // a newer agent may say more
  }
}

/**
 * Takes over a whole state. Results from before are listed and not shown: an
 * old green light is a wrong one. Questions are still to be answered.
 */
function begin(s: State, scans: Scan[]): State {
  const questions = Object.fromEntries(scans.filter(isQuestion).map((q) => [q.id, q]))
  const next = { ...s, scans: scans.slice(0, REMEMBERED), questions }
  const shown = next.shown && scans.find((x) => x.id === next.shown?.id)
  if (shown && next.shown?.until !== null) return next
  return { ...next, shown: waiting(next) }
}

function show(s: State, scan: Scan, now: number): State {
  const known = s.scans.findIndex((x) => x.id === scan.id)
  const before = known < 0 ? null : s.scans[known]!
  const scans =
    known < 0 ? [scan, ...s.scans].slice(0, REMEMBERED) : s.scans.map((x) => (x.id === scan.id ? scan : x))
  if (before && faceOf(before) === faceOf(scan) && before.reason === scan.reason) return { ...s, scans }
  if (before && settled(before) && !settled(scan)) return s // an older message that came by another way

  const questions = { ...s.questions }
  if (isQuestion(scan)) questions[scan.id] = scan
  else delete questions[scan.id]

  const sound = cues[faceOf(scan)]
  return {
    ...s,
    scans,
    questions,
    shown: { id: scan.id, until: isQuestion(scan) ? null : now + SHOW_MS },
    cue: sound ? { n: (s.cue?.n ?? 0) + 1, sound } : s.cue,
  }
}

const settled = (s: Scan): boolean => s.reason !== 'needs_input'

/** Drops a question that the agent no longer waits for. */
function settle(s: State, id: string): State {
  const questions = { ...s.questions }
  delete questions[id]
  const next = { ...s, questions }
  return s.shown?.id === id ? { ...next, shown: waiting(next) } : next
}

function tick(s: State, now: number): State {
  const over = s.shown?.until != null && now >= s.shown.until
  return over ? { ...s, shown: waiting(s) } : s
}

/** What the stage goes back to: the oldest open question, or nothing. */
function waiting(s: State): State['shown'] {
  const open = Object.values(s.questions).sort((a, b) => a.at - b.at)[0]
  return open ? { id: open.id, until: null } : null
}

export function shownScan(s: State): Scan | null {
  return (s.shown && s.scans.find((x) => x.id === s.shown?.id)) ?? null
}

/** The agent's clock, counted on since it last spoke. */
export function agentNow(s: State, now: number): number {
  return s.status ? s.status.now + Math.max(0, now - s.statusAt) : 0
}

/** The admission that can be taken back: the latest that opened, not too old. */
export function annullable(s: State, now: number): Scan | null {
  const last = s.scans.find((x) => x.opens && !x.repeat)
  return last && !last.annulled && agentNow(s, now) - last.at <= ANNUL_MS ? last : null
}

/** When a repeated pass was let in before, as far as the page knows. */
export function admittedBefore(s: State, scan: Scan): number | null {
  if (scan.first_use) return scan.first_use.at
  const first = s.scans.find((x) => x.pass && x.pass === scan.pass && x.opens && !x.repeat && x.at <= scan.at)
  return first?.at ?? null
}
