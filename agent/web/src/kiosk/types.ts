// The shapes that the agent's kiosk feed sends; package console has the
// originals. Times are unix milliseconds.

import type { Seen } from '../state'

export interface KioskLane {
  name: string
  direction: string
  /** "" = none. */
  trouble: '' | 'scanner' | 'barrier'
}

export type CallState = 'calling' | 'ringing' | 'coming' | 'admitted' | 'refused' | 'missed' | 'cancelled' | 'over'

export interface KioskCall {
  id: string
  lane: string
  at: number
  reason: 'help' | 'document'
  scan?: string
  state: CallState
  /** The gate whose guard answers. */
  by?: string
  cut?: boolean
}

export interface Kiosk {
  gate: { id: number; name: string }
  software: string
  now: number
  phone: string
  other_gate: string
  on_call: boolean
  online: boolean
  trouble: '' | 'snapshot' | 'stale' | 'clock' | 'lockdown' | 'emergency'
  lanes: KioskLane[]
  calls: KioskCall[]
}

/** An attempt, as those around may see it. */
export interface KioskScan extends Seen {
  id: string
  at: number
  lane: string
  direction: string
  reason: string
  opens: boolean
  kind?: string
  /** Masked. */
  name?: string
  first_use?: { at: number; gate: number; gate_name: string }
  owner?: { gate: number; name: string }
}

export type KioskMessage = { type: 'kiosk'; kiosk: Kiosk } | { type: 'scan'; scan: KioskScan }
