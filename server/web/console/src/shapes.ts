// Matters as the server tells of them, in full: what the shared types leave to
// the pages that need it.

import type { Application, Attachment, FilledField, MyTask, Outcome, PersonRef, Row, Service, ServiceForm, Task, TrailEntry } from '@shared/types'

/** English words beside the Chinese ones; "" where the flow has none. */
export interface English {
  flow_en?: string
  state_en?: string
  step_en?: string
}

export type MatterRow = Row & English

/** A service with its English name, "" where it has none. */
export type NamedService = Service & { en?: string }

/** What the days of a form may be; "" = any. The flow's rules hold all the same. */
export interface DayLimits {
  first_date: string
  last_date: string
}

export type Blank = ServiceForm & { en?: string; limits?: DayLimits | null }

/** An outcome, and whether it takes the step's form and the choice of the next step. */
export interface MatterOutcome extends Outcome {
  en?: string
  step_form?: boolean
  next?: boolean
}

export interface MatterTask extends Omit<MyTask, 'outcomes' | 'form'> {
  outcomes: MatterOutcome[]
  form: FilledField[] | null
  /** Somebody was added to a task: only an opinion is asked. */
  added?: boolean
}

export interface Duty extends Omit<Task, 'people'> {
  people: string[]
}

export type Line = TrailEntry & { en?: string }

export interface StepForm {
  step: string
  name: string
  by: PersonRef
  at: number
  fields: { name: string; text: string; value: unknown; type: FilledField['type'] }[]
}

/** A matter, whole, as one person sees it. */
export interface Matter extends Omit<Application, 'mine' | 'tasks' | 'trail' | 'steps_forms' | 'copies' | 'comments' | 'ratings'>, English {
  trail: Line[]
  tasks: Duty[]
  steps_forms: StepForm[]
  copies: { person: PersonRef; at: number; read_at: number }[]
  comments: { from: PersonRef; to?: PersonRef; text: string; at: number }[]
  ratings: { by: PersonRef; target: string; stars: number; text: string; at: number }[]
  mine: MatterTask | null
  /** Every attachment of its forms. */
  files?: Attachment[]
}
