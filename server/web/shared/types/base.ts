// What every answer shares; who is signed in, and their messages.

/** The body of every answer that is not a success. */
export interface Problem {
  code: string
  message: string
  details: Record<string, unknown>
  request_id: string
}

/** One page of a list. */
export interface List<T> {
  items: T[]
  total: number
  page: number
  size: number
}

export interface Items<T> {
  items: T[]
}

// ---- login and me

export interface LoginWays {
  phone: boolean
  password: boolean
  oidc: { id: string; name: string }[]
  cas: { id: string; name: string }[]
  demo: boolean
  site: string
}

export interface CodeSent {
  resend_after: number // s
  expires_in: number // s
}

export type PersonKind = 'staff' | 'contract' | 'worker' | 'retired' | 'student' | 'resident' | 'outside'

export interface UnitRef {
  id: string
  name: string
}

export interface Me {
  number: string
  name: string
  kind: PersonKind
  level: string
  unit: UnitRef
  phone: string // masked
  mail: string
  posts: { role: string; name: string; unit: string; gate: number }[]
  scopes: string[]
  gate: number
  /** There is one. */
  password?: boolean
  must_change: boolean
  unread: number
  demo: boolean
}

export interface LoggedIn {
  me: Me
}

export interface LoginEntry {
  at: number
  way: string
  ip: string
  device: string
  result: string
  current?: boolean
}

export interface SessionEntry {
  id: string
  created_at: number
  seen_at: number
  device: string
  current: boolean
}

// ---- messages

export interface Message {
  id: number
  kind: string
  subject: string
  text: string
  link: string
  at: number
  read_at: number // 0 = not yet
}
