// Applications and the tasks of those who decide them.

import type { List, UnitRef } from './base'
import type { PassKind, PassState } from './passes'

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
