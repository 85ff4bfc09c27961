// Passes, paper passes, and what a guard sees of one.

// ---- passes

export type PassKind = 'resident_single' | 'resident_multi' | 'work' | 'visitor' | 'vehicle'
export type PassState = 'issued' | 'used' | 'expired' | 'revoked'

export interface MyPass {
  id: string
  kind: PassKind
  name: string
  from: string
  until: string // exclusive
  zones: number[] | null
  uses: number // 0 = unlimited
  used: number
  state: PassState
  bound: boolean
  code: string
  url: string
  owner_gate: number
  owner_name: string
  /** The deciding gate is connected: the pass can be moved now. */
  owner_here?: boolean
  /** A gate decides it, and it holds and is unused. */
  movable?: boolean
  application: string
  serial: string
  warning: string
  /** Id of the phone key that stands, "" = no phone has it yet. */
  phone: string
  /** Applied for by me; else it is my household's. */
  mine?: boolean
}

/** A gate that could decide a pass. */
export interface Owning {
  id: number
  name: string
  here: boolean
}

export interface LiveCode {
  code: string
  expires_at: number
}

export interface PhoneNonce {
  nonce: string
  message: string // base64
  expires_at: number
}

export interface PhoneCredential {
  credential: string
  phone: string
  expires_at: number
}

export interface Pass {
  id: string
  kind: PassKind
  name: string
  doc4: string
  from: string
  until: string
  uses: number
  used: number
  zones: number[] | null
  owner_gate: number
  owner_name?: string
  owner_here?: boolean
  movable?: boolean
  bound: boolean
  key: string
  code: string
  url: string
  state: PassState
  issued_at: number
  issued_by: string
  first_use?: { at: number; gate: number }
  revoked_at?: number
  revoke_reason?: string
  phones?: { id: string; enrolled_at: number; renewed_at: number; expires_at: number; replaced_at?: number }[]
}

// ---- desks and paper passes

export interface Desk {
  id: string
  name: string
  campus: string
  serves: 'residents' | 'retired' | string
  unit: string
  hours: [string, string][]
  documents: string[]
  open: boolean
}

export interface Paper {
  number: string
  desk: string
  household: number
  person: string
  name: string
  doc4: string
  state: 'issued' | 'returned' | 'lost'
  issued_by: string
  issued_at: number
  returned_at: number
  pass: { id: string; code: string }
  from: string
  until: string
  address: string
}

// ---- the guard's verification page

export interface Verification {
  verdict: {
    reason: string
    kind: 'granted' | 'denied' | 'attention' | 'needs_input'
    text: { zh: string[]; en: string[] }
  }
  holder: { number: string; name: string; unit: string; kind: string } | null
  pass: { id: string; kind: PassKind; from: string; until: string; uses: number; used: number; state: PassState; reason: string } | null
  gate: number
  decider: { gate: number; name: string } | null
  ticket: string
}
