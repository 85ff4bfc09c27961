// What a kiosk's page knows and shows, as one pure reducer: no clocks, no
// network, no Vue. Times called `now` are the page's own monotonic milliseconds.

import { faceOf, type Cue, type Face } from '../state'
import type { Kiosk, KioskCall, KioskMessage, KioskScan } from './types'

/** How long things stay on the screen. */
export const SHOW_MS = 5_000
export const REFUSED_MS = 8_000
export const ASKING_MS = 10_000
export const MISSED_MS = 20_000
/** A guard is on the way: others may use the lane after this. */
export const COMING_MS = 60_000
/** After this a call that nobody is known to hear says so. */
export const UNHEARD_MS = 3_000
/** And after this an open one is over, whatever the agent says. */
export const RING_MS = 60_000

/** Scans that are to be tried again, rather than refused. */
const again = new Set(['malformed', 'proof_stale', 'replayed', 'offline_not_allowed', 'wrong_kind', 'proof_missing', 'occupancy_full'])

export type KioskFace = Exclude<Face, 'annulled' | 'confirm'> | 'again'

export function kioskFace(s: KioskScan): KioskFace {
  const face = faceOf(s)
  if (face === 'confirm') return 'asking' // of the guard, where one is
  if (face === 'denied' && again.has(s.reason)) return 'again'
  return face === 'annulled' ? 'denied' : face
}

/** A call as the page follows it; `since` is when it came to its state here. */
export interface Followed {
  call: KioskCall
  since: number
  began: number
}

export interface State {
  connected: boolean
  kiosk: Kiosk | null
  kioskAt: number
  shown: { scan: KioskScan; until: number } | null
  calls: Followed[]
  /** The agent did not take a call. */
  failed: { until: number } | null
  /** Rises with each sound to be made. */
  cue: { n: number; sound: Cue } | null
}

export type Happening =
  | { type: 'message'; message: KioskMessage; now: number }
  | { type: 'failed'; now: number }
  | { type: 'lost' }
  | { type: 'tick'; now: number }

export function start(now: number): State {
  return { connected: false, kiosk: null, kioskAt: now, shown: null, calls: [], failed: null, cue: null }
}

export function reduce(s: State, h: Happening, lane = ''): State {
  switch (h.type) {
    case 'message':
      return h.message.type === 'kiosk' ? hear(s, h.message.kiosk, h.now, lane) : h.message.type === 'scan' ? show(s, h.message.scan, h.now, lane) : s
    case 'failed':
      return { ...s, failed: { until: h.now + MISSED_MS }, ...sounding(s, 'attention') }
    case 'lost':
      // What was going on is not known any more; an old green light would be a wrong one.
      return { ...s, connected: false, shown: null }
    case 'tick':
      return tick(s, h.now)
  }
}

const sounding = (s: State, sound: Cue): Pick<State, 'cue'> => ({ cue: { n: (s.cue?.n ?? 0) + 1, sound } })

function hear(s: State, kiosk: Kiosk, now: number, lane: string): State {
  let cue = s.cue
  const calls = kiosk.calls.filter((c) => !lane || c.lane === lane).map((call) => {
    const known = s.calls.find((f) => f.call.id === call.id)
    if (known?.call.state === call.state) return { ...known, call }
    const sound: Cue | null = call.state === 'coming' ? 'granted' : call.state === 'missed' || (call.state === 'refused' && call.reason === 'help') ? 'attention' : null
    if (sound && known) cue = { n: (cue?.n ?? 0) + 1, sound }
    return { call, since: now, began: known?.began ?? now }
  })
  // The agent forgets a call soon after its end; what came of it stands here a little longer.
  const ended = s.calls.filter((f) => lasting(f) > now && !open(f.call) && !calls.some((c) => c.call.id === f.call.id))
  return { ...s, connected: true, kiosk, kioskAt: now, calls: [...ended, ...calls], cue, failed: calls.length > s.calls.length ? null : s.failed }
}

const open = (c: KioskCall): boolean => c.state === 'calling' || c.state === 'ringing' || c.state === 'coming'

/** Until when a call is to be seen. */
function lasting(f: Followed): number {
  switch (f.call.state) {
    case 'calling':
    case 'ringing':
      return f.began + RING_MS + UNHEARD_MS
    case 'coming':
      return f.since + COMING_MS
    case 'missed':
      return f.since + MISSED_MS
    case 'refused':
      return f.call.reason === 'help' ? f.since + MISSED_MS : 0
    default:
      return 0
  }
}

const sounds: Record<KioskFace, Cue | null> = {
  granted: 'granted', attention: 'granted', repeat: 'attention', denied: 'denied', used: 'denied', again: 'attention',
  question: 'question', asking: null,
}

function show(s: State, scan: KioskScan, now: number, lane: string): State {
  if (lane && scan.lane !== lane) return s
  if (scan.annulled) return s.shown?.scan.id === scan.id ? { ...s, shown: null } : s
  const face = kioskFace(scan)
  const before = s.shown?.scan
  if (before?.id === scan.id && before.reason === scan.reason && before.need === scan.need) return s
  const sound = sounds[face]
  return {
    ...s,
    failed: null,
    shown: { scan, until: now + (scan.need === 'confirm' ? RING_MS : stay(face, s)) },
    ...(sound && sounding(s, sound)),
  }
}

/** How long a face stays. A question stands as long as its call; without one it is settled at once. */
function stay(face: KioskFace, s: State): number {
  if (face === 'question') return s.kiosk?.on_call ? RING_MS * 3 : SHOW_MS
  if (face === 'asking') return ASKING_MS
  return face === 'granted' || face === 'attention' || face === 'repeat' ? SHOW_MS : REFUSED_MS
}

function tick(s: State, now: number): State {
  const over = s.shown && now >= s.shown.until
  const failed = s.failed && now >= s.failed.until
  const calls = s.calls.filter((f) => open(f.call) || lasting(f) > now)
  if (!over && !failed && calls.length === s.calls.length) return s
  return { ...s, shown: over ? null : s.shown, failed: failed ? null : s.failed, calls }
}

export type View =
  | { name: 'starting' }
  | { name: 'idle' }
  | { name: 'verdict'; scan: KioskScan; face: KioskFace }
  | { name: 'call'; followed: Followed; stage: Stage }
  | { name: 'failed' }
  | { name: 'trouble'; why: Trouble }

/** What a call's screen says. */
export type Stage = 'calling' | 'unheard' | 'ringing' | 'coming' | 'refused' | 'missed'
export type Trouble = 'agent' | 'scanner' | 'barrier' | Exclude<Kiosk['trouble'], ''>

/** What stands on the screen. */
export function viewOf(s: State, now: number, lane = ''): View {
  if (!s.kiosk) return { name: 'starting' }
  const why = troubleOf(s, lane)
  const scan = s.shown?.scan
  const face = scan && kioskFace(scan)
  // A barrier that does not move makes every green light a wrong one.
  if (scan && face && face !== 'question' && !(scan.opens && why === 'barrier')) return { name: 'verdict', scan, face }
  const followed = [...s.calls].reverse().find((f) => lasting(f) > now)
  if (followed) return { name: 'call', followed, stage: stageOf(followed, now) }
  if (s.failed) return { name: 'failed' }
  if (why) return { name: 'trouble', why }
  return scan && face ? { name: 'verdict', scan, face } : { name: 'idle' }
}

function stageOf(f: Followed, now: number): Stage {
  switch (f.call.state) {
    case 'coming':
    case 'missed':
    case 'refused':
      return f.call.state
    case 'ringing':
      return f.call.cut ? 'unheard' : 'ringing'
    default:
      return f.call.cut || now - f.began >= UNHEARD_MS ? 'unheard' : 'calling'
  }
}

/** Why nobody can pass here; null = they can. */
export function troubleOf(s: State, lane = ''): Trouble | null {
  if (!s.connected) return 'agent'
  if (s.kiosk?.trouble) return s.kiosk.trouble
  const lanes = s.kiosk?.lanes.filter((l) => !lane || l.name === lane) ?? []
  const troubled = lanes.filter((l) => l.trouble)
  return lanes.length > 0 && troubled.length === lanes.length ? (troubled[0]!.trouble as Trouble) : null
}

/** Lanes that are out of order while others are not. */
export function closedLanes(s: State, lane = ''): string[] {
  return lane || troubleOf(s) ? [] : (s.kiosk?.lanes.filter((l) => l.trouble).map((l) => l.name) ?? [])
}

/** The agent's clock, counted on since it last spoke. */
export const agentNow = (s: State, now: number): number => (s.kiosk ? s.kiosk.now + Math.max(0, now - s.kioskAt) : 0)
