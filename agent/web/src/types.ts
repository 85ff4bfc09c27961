// The shapes that the agent's console sends; package console has the originals.
// Times are unix milliseconds unless they say seconds.

export type Lang = 'zh' | 'en'

export interface Place {
  gate: number
  name: string
}

export interface Scan {
  id: string
  at: number
  lane: string
  direction: string
  source: string
  reason: string
  /** What the reason is about, where it has several meanings. */
  mark?: string
  repeat?: boolean
  opens: boolean
  /** What a needs_input scan waits for: "document", "confirm" when nobody can be asked, or "claim" while another gate is asked. */
  need?: string
  pass?: string
  kind?: string
  name?: string
  doc4?: string
  /** Unix seconds; the end is exclusive. */
  valid_from?: number
  valid_until?: number
  first_use?: { at: number; gate: number; gate_name: string }
  owner?: Place
  /** Somebody without a code. */
  vouched?: boolean
  /** The rule that admitted, bars, or was chosen. */
  rule?: string
  documents?: string[]
  /** What would have completed what was shown. */
  missing?: string[]
  barred?: boolean
  guard?: string
  offline?: boolean
  annulled?: boolean
  /** What the lane's sensor saw. */
  passage?: 'passed' | 'nobody'
}

export interface Guard {
  number: string
  name: string
  since: number
  /** At a kiosk: what the rest of the API wants. */
  key?: string
}

export interface Reach {
  driver: string
  state: string
  detail: string
  since?: number
}

export interface Printer extends Device {
  /** Why it is lost: paper_out, cover_open or fault. */
  reason: string
}

export interface Lane {
  name: string
  direction: string
  scanner: Reach
  barrier: Reach
  /** Its scanner can be told to read. */
  trigger: boolean
}

/** How one device is, whatever it is. Driver none: there is none. */
export interface Device {
  lane: string
  kind: string
  driver: string
  name: string
  state: string
  since: number
  detail: string
}

export interface Status {
  agent: number
  epoch: number
  gate: { id: number; name: string }
  site: string
  software: string
  mode: string
  documents: string
  shift: { required: boolean; guard: Guard | null }
  online: boolean
  since: number
  last_error: string
  now: number
  snapshot: { revision: number; at: number; age_ms: number }
  queue: number
  clock: { trusted: boolean; offset_ms: number; synced_at: number; reason: '' | 'set_back' | 'not_synced' }
  lanes: Lane[]
  devices: Device[] | null
  /** The receipt printer; null or absent = there is none. */
  printer?: Printer | null
  /** In force, the one that counts first. */
  alarms?: Alarm[] | null
}

/** A lockdown or an emergency opening. */
export interface Alarm {
  state: 'lockdown' | 'open'
  source: 'server' | 'guard' | 'input'
  scope?: string
  reason?: string
  by?: string
  since?: number
  until?: number
}

export interface ReasonText {
  word: string
  title: string
  next: string
}

export type Words = Record<Lang, string>

export interface DocumentChoice {
  id: string
  label: Words
  issuer?: Words
  /** Counts only where it shows a campus address. */
  address?: boolean
  copy?: boolean
  /** Proves nothing alone. */
  beside?: boolean
  never?: boolean
}

/** What people of one sort have to show: any one of the sets, all of it. */
export interface Rule {
  id: string
  who: Words
  passes?: string[]
  documents?: string[][]
  refuse?: boolean
  register?: 'student' | 'relative' | ''
  relations?: { id: string; name: Words }[]
  collect?: boolean
  note?: Words
}

export interface Texts {
  reasons: Record<Lang, Record<string, ReasonText>>
  documents: DocumentChoice[]
  /** None as long as no guideline has come: any document counts then. */
  rules: Rule[]
  addresses: { campus: string; places: string[] }[]
}

export type Direction = 'in' | 'out'

/** An entry of a register. */
export interface Registered {
  event: string
  rule: string
  at: number
  ended_at?: number
  register: { kind: 'student' | 'relative'; person: string; number?: string; relation?: string; staff?: string }
}

/** A pass that was looked up. It admits nobody. */
export interface Found {
  id: string
  kind: string
  name: string
  valid_from: number
  valid_until: number
  uses: number
  used: number
  state: 'valid' | 'not_yet' | 'used' | 'revoked'
}

/** What the guard fills in for somebody without a code. */
export interface Entry {
  rule: string
  direction: Direction
  lane: string
  documents: string[]
  register?: { person?: string; number?: string; relation?: string; staff?: string; ends?: string }
  note: string
  pass?: string
}

export type CallAnswer = 'coming' | 'admit' | 'refuse'

/** A call for help, of this PC's kiosk (`mine`) or of another gate. */
export interface HelpCall {
  id: string
  gate: number
  gate_name: string
  lane: string
  at: number
  reason: 'help' | 'document'
  subject?: { pass?: string; kind?: string; name?: string; doc4?: string }
  mine: boolean
  state: 'calling' | 'ringing' | 'coming' | 'admitted' | 'refused' | 'missed' | 'cancelled' | 'over'
  by?: number
  by_name?: string
  guard?: string
  /** Of the scan that was settled. */
  verdict?: string
  cut?: boolean
  /** The answer given here, on its way. */
  sent?: CallAnswer
}

export interface Check {
  name: string
  ok: boolean
  detail: string
  advice: string
}

export type Message =
  | { type: 'state'; status: Status; scans?: Scan[]; texts: Texts; calls?: HelpCall[] }
  | { type: 'calls'; calls: HelpCall[] }
  | { type: 'scan'; scan: Scan }
  | { type: 'status'; status: Status }
  | { type: 'texts'; texts: Texts }
