// What only the console shows.

import type { List, PersonKind, UnitRef } from './base'

export interface Person {
  number: string
  name: string
  kind: PersonKind
  level: string
  unit: UnitRef
  phone: string // masked
  id_number: string // masked
  mail: string
  state: 'active' | 'left' | string
  posts: Post[] | null
  households: number[] | null
}

export interface Post {
  id: number
  role: string
  person: string
  unit: string
  gate: number
  from: string
  to: string
}

export interface Unit {
  id: string
  name: string
  parent: string
  kind: string
  campus: string
  head: string
}

export interface Household {
  id: number
  compound: string
  building: string
  room: string
  head: string
  verified_by: string
  verified_at: number
  members: { person: string; name: string; phone: string; relation: string }[]
  address: string
}

export interface ImportPreview {
  id: string
  kind: 'people' | 'units' | 'households' | 'posts'
  name: string
  rows: number
  adds: number
  changes: number
  same: number
  faults: { row: number; column: string; value?: string; message: string }[] | null
  sample: Record<string, string>[]
  expires_at: number
}

export interface FlowEntry {
  id: string
  name: string
  version: number
  published_at: number
  published_by: string
  on: boolean
}

export interface FlowFault {
  line: number
  key: string
  message: string
}

export interface Settings {
  ahead_days: number
  quota_days: number
  quota_codes: number
  multi_days_max: number
  max_days: number
  auto_single: boolean
  visitor_pass: boolean
  vehicle_pass: boolean
  [more: string]: unknown
}

export interface GateEvent {
  id: string
  agent: number
  epoch: number
  seq: number
  at: number
  received_at: number
  offline: boolean
  gate: number
  pass_id: string
  reason: string
}

export interface ReportColumn {
  id: string
  name: string
  en: string
}

export interface ReportList extends List<{ id: string; cells: Record<string, string | number> }> {
  columns: ReportColumn[]
}
