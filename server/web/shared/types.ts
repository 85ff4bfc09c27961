// What the server's HTTP interface says, under /api/v1. Times ending in _at, and
// `at`, are unix ms; days are "2026-05-01"; money is whole fen.

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

// ---- applications

export type FieldType =
  | 'text' | 'textarea' | 'richtext' | 'number' | 'money' | 'date' | 'datetime'
  | 'select' | 'unit' | 'user' | 'phone' | 'file' | 'image' | 'note'

export interface Option {
  value: string
  label: string
  en?: string
}

export interface FormField {
  id: string
  name: string
  en?: string
  type: FieldType
  required: boolean
  /** Whether it is required with the form as it stands. */
  required_if?: boolean
  /** The condition, as the flow words it: form.type == "multi". */
  required_when?: string
  readonly?: boolean
  value?: unknown
  /** The value in words, of a unit or a person that is filled in already. */
  text?: string
  max?: number
  options?: Option[] | null
  many?: boolean
  from?: string
}

/** A field with what was filled in. */
export interface FilledField extends FormField {
  text: string
}

/** What is filled in, by field. */
export type FormValues = Record<string, unknown>

export interface ChartNode {
  id: string
  name: string
  en?: string
  kind: 'approve' | 'handle' | 'claim' | 'archive' | string
  mode: 'any' | 'all' | 'seq' | string
  people: { name: string; unit: string }[]
  state?: 'done' | 'current' | 'waiting' | 'optional' | 'skipped' | 'cancelled' | ''
  by?: string[]
  at?: number
}

export interface Service {
  id: string
  name: string
  en?: string
  office: string
  version: number
  group: string
}

export interface ServiceForm {
  id: string
  name: string
  en?: string
  version: number
  form: FormField[]
  chart: ChartNode[]
  note?: string
}

export interface PersonRef {
  number: string
  name: string
  unit: string
}

export interface Preview {
  steps: {
    id: string
    name: string
    en?: string
    people: PersonRef[]
    /** The system will agree. */
    auto?: boolean
    /** Done only when the handler before chooses it. */
    choice?: boolean
    /** One of the people, whom the handler before chooses. */
    pick?: boolean
  }[]
}

export type MatterState =
  | 'draft' | 'running' | 'completed' | 'rejected' | 'returned' | 'withdrawn' | 'terminated' | 'voided' | 'discarded'

export type Box = 'todo' | 'done' | 'started' | 'cc' | 'drafts'

export interface Row {
  id: string
  flow: string
  flow_name: string
  flow_en?: string
  group: string
  title: string
  serial: string
  state: MatterState
  state_name: string
  state_en?: string
  starter: PersonRef
  created_at: number
  submitted_at: number
  ended_at: number
  step: string
  step_name: string
  step_en?: string
  waiting: string[]
  task: { id: string; state: string; opened_at: number } | null
  pass: { id: string; kind: PassKind; state: PassState; from: string; until: string } | null
  summary: { name: string; en?: string; value: string; value_en?: string }[]
}

export interface RowList extends List<Row> {
  counts: Partial<Record<Box, number>>
}

export interface TrailEntry {
  at: number
  step_name: string
  step_en?: string
  actor: { number: string; name: string }
  verb: string
  name: string
  en?: string
  opinion: string
  to: string[] | null
  attachments: Attachment[] | null
}

export interface Task {
  id: string
  step: string
  step_name: string
  round: number
  seats: string[]
  people: string[]
  state: string
  outcome: string
  opinion: string
  opened_at: number
  closed_at: number
  mine: boolean
}

export interface Outcome {
  id: string
  name: string
  en?: string
  to: string
  form: FormField[] | null
  /** Takes the step's form too. */
  step_form?: boolean
  /** Takes the next step and its handler. */
  next?: boolean
}

export interface MyTask {
  task: string
  step_name: string
  kind: string
  /** Only an opinion is asked: somebody was added to a task. */
  added?: boolean
  opinion: 'none' | 'optional' | 'required'
  outcomes: Outcome[]
  form: FormField[] | null
  next: { choose: { to: string; name: string; people: PersonRef[] }[]; note: string; handler: string } | null
  actions: string[]
}

export interface MatterPass {
  id: string
  kind: PassKind
  state: PassState
  from: string
  until: string
  bound: boolean
  mine: boolean
}

export interface Application extends Omit<Row, 'pass'> {
  version: number
  form: FilledField[]
  steps_forms: { step: string; name: string; by: PersonRef; at: number; fields: { name: string; text: string; value: unknown; type: FieldType }[] }[]
  trail: TrailEntry[]
  chart: ChartNode[]
  copies: { person: PersonRef; at: number; read_at: number }[]
  comments: { from: PersonRef; to?: PersonRef; text: string; at: number }[]
  ratings: { by: PersonRef; target: string; stars: number; text: string; at: number }[]
  rate: string[] | null
  actions: string[]
  tasks: Task[]
  mine: MyTask | null
  pass: MatterPass | null
  /** Every attachment of its forms. */
  files?: Attachment[]
  /** Who decided last. */
  reviewer?: PersonRef | null
  /** Of the applicant, masked; where a household applies. */
  id_number?: string
}

/** One action on a matter: a verb of the server's, and what goes with it. */
export interface Act {
  verb: string
  task?: string
  outcome?: string
  form?: FormValues
  opinion?: string
  next?: string
  handler?: string
  to?: string[]
  at?: string
  mode?: string
  target?: string
  stars?: number
  attachments?: string[]
}

export interface Attachment {
  id: string
  name: string
  size: number
  type: string
}

export interface FoundPerson extends PersonRef {
  posts?: string[]
}

export interface UnitNode extends UnitRef {
  parent: string
}

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

// ---- console

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
