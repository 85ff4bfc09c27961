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
  repeat?: boolean
  opens: boolean
  /** What a needs_input scan waits for: "document", or "claim" while another gate is asked. */
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
  offline?: boolean
  annulled?: boolean
}

export interface Device {
  driver: string
  state: string
  detail: string
  since?: number
}

export interface Lane {
  name: string
  direction: string
  scanner: Device
  barrier: Device
}

export interface Status {
  agent: number
  epoch: number
  gate: { id: number; name: string }
  site: string
  software: string
  mode: string
  documents: string
  online: boolean
  since: number
  last_error: string
  now: number
  snapshot: { revision: number; at: number; age_ms: number }
  queue: number
  clock: { trusted: boolean; offset_ms: number; synced_at: number; reason: '' | 'set_back' | 'not_synced' }
  lanes: Lane[]
}

export interface ReasonText {
  word: string
  title: string
  next: string
}

export interface DocumentChoice {
  id: string
  label: Record<Lang, string>
}

export interface Texts {
  reasons: Record<Lang, Record<string, ReasonText>>
  documents: DocumentChoice[]
}

export type Message =
  | { type: 'state'; status: Status; scans?: Scan[]; texts: Texts }
  | { type: 'scan'; scan: Scan }
  | { type: 'status'; status: Status }
