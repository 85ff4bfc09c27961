// What the pages need to know of matters beyond what the server says of each:
// how they look in a list, and which tools a person has.

import { day, daysOf, stamp } from '@shared/format'
import { lang, pick } from '@shared/lang'
import type { Box, MatterState } from '@shared/types'
import { listed, nameOfActor, summaryLine, titleOf } from '@shared/words'
import type { Column } from './columns'
import type { IconName } from './parts/icons'
import type { Duty, Line, Matter, MatterRow as Row } from './shapes'
import { t } from './i18n'

/** The states that a list can be narrowed to. */
export const states: readonly MatterState[] = ['draft', 'running', 'returned', 'rejected', 'withdrawn', 'terminated', 'voided', 'completed']

const tones: Record<string, string> = {
  running: 'running', pending: 'running', current: 'running',
  completed: 'good', done: 'good', agree: 'good', issued: 'good',
  returned: 'warn', withdrawn: 'warn',
  rejected: 'bad', terminated: 'bad', voided: 'bad', revoked: 'bad',
  // of keys, people, paper passes and verdicts
  active: 'good', granted: 'good', next: 'running', attention: 'warn', denied: 'bad', lost: 'bad', compromised: 'bad',
  // of cards and their money
  frozen: 'warn', created: 'running', paid: 'good', failed: 'bad', refunded: 'warn', open: 'running', even: 'good', uneven: 'bad',
}

/** The look of a state: running, good, warn, bad or rest. */
export const tone = (state: string): string => tones[state] ?? 'rest'

// ---- lists

/** What a row says under one of the names in its summary; "" where it says nothing. */
const said = (row: Row, name: string) => row.summary.find((one) => one.name === name)?.value ?? ''

export const flowName = (row: Pick<Row, 'flow_name' | 'flow_en'>): string => pick(row.flow_name, row.flow_en)
export const stateName = (row: Pick<Row, 'state_name' | 'state_en'>): string => pick(row.state_name, row.state_en)
const stepName = (row: Row) => pick(row.step_name, row.step_en)

const applied = (row: Row) => stamp(row.submitted_at || row.created_at)

/** "2天3小时": how long something has taken, in its two largest units. */
export function elapsed(from: number, now: number): string {
  const minutes = Math.max(0, Math.floor((now - from) / 60_000))
  const units = lang.value === 'zh' ? ['天', '小时', '分钟'] : ['d ', 'h ', 'm']
  const all = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60]
  const largest = all.findIndex((n) => n > 0)
  if (largest < 0) return '0' + units[2]
  return all.map((n, at) => (n && (at === largest || at === largest + 1) ? `${n}${units[at]}` : '')).join('').trim()
}

const taskWords: Record<string, string> = { pending: 'task_pending', waiting: 'task_waiting', done: 'task_done', cancelled: 'task_cancelled' }

/** What has to be done with a row, in the words of its box. */
export function handling(row: Row, box: Box): string {
  if (box === 'done') return t('task_handled')
  return row.task ? t(taskWords[row.task.state] ?? 'task_pending') : ''
}

const base = {
  seq: { id: 'seq', word: 'col_seq', text: (_, index) => String(index + 1), always: true, nowrap: true },
  title: { id: 'title', word: 'col_title', text: titleOf, always: true, width: '200px' },
  flow: { id: 'flow', word: 'col_flow', text: flowName },
  group: { id: 'group', word: 'col_group', text: (row) => row.group },
  starter: { id: 'starter', word: 'col_starter', text: (row) => row.starter.name, nowrap: true },
  number: { id: 'number', word: 'col_number', text: (row) => row.starter.number, nowrap: true },
  unit: { id: 'unit', word: 'col_unit', text: (row) => row.starter.unit },
  applied: { id: 'applied', word: 'col_applied', text: applied, nowrap: true },
  saved: { id: 'saved', word: 'col_saved', text: (row) => stamp(row.created_at), nowrap: true },
  step: { id: 'step', word: 'col_step', text: stepName },
  state: { id: 'state', word: 'col_state', text: stateName, nowrap: true },
  waiting: { id: 'waiting', word: 'col_waiting', text: (row) => listed(row.waiting) },
  serial: { id: 'serial', word: 'col_serial', text: (row) => row.serial, nowrap: true },
  summary: { id: 'summary', word: 'col_summary', text: (row) => row.summary.map((one) => summaryLine(one).join(' ')).join(' · ') },
  timer: { id: 'timer', word: 'col_timer', text: (row) => (row.task ? elapsed(row.task.opened_at, Date.now()) : ''), nowrap: true },
  open: { id: 'open', word: 'col_open', text: () => '', always: true, nowrap: true },
} satisfies Record<string, Column<Row>>

const extra = (...columns: Column<Row>[]) => columns.map((c) => ({ ...c, usual: false }))

const handlingColumn = (box: Box): Column<Row> => ({ id: 'handling', word: 'col_handling', text: (row) => handling(row, box), nowrap: true })

const boxColumns: Record<Box, Column<Row>[]> = {
  todo: [base.seq, base.title, base.starter, base.applied, handlingColumn('todo'), base.waiting, ...extra(base.flow, base.step, base.timer, base.number, base.unit, base.state, base.serial, base.summary)],
  done: [base.seq, base.title, base.starter, base.applied, handlingColumn('done'), base.state, ...extra(base.flow, base.waiting, base.number, base.unit, base.step, base.serial, base.summary)],
  started: [base.seq, base.title, base.starter, base.applied, base.state, base.waiting, ...extra(base.flow, base.step, base.serial, base.summary)],
  cc: [base.seq, base.title, base.starter, base.applied, base.state, ...extra(base.flow, base.number, base.unit, base.step, base.waiting, base.serial, base.summary)],
  drafts: [base.seq, base.title, base.flow, base.saved, base.open, ...extra(base.group, base.summary)],
}

const dateSaid = (name: string) => (row: Row) => day(said(row, name)) || said(row, name)

/** Columns of the review list of work passes, as the campus office knows them. */
const passReview: Column<Row>[] = [
  base.open, base.number, base.starter, base.unit,
  { id: 'start', word: 'col_start', text: dateSaid('通行开始日期'), nowrap: true },
  { id: 'end', word: 'col_end', text: dateSaid('通行截止日期'), nowrap: true },
  { id: 'reason', word: 'col_reason', text: (row) => said(row, '通行原因') },
  base.applied, base.state,
]
const passTask = (box: Box): Column<Row> => ({
  id: 'task', word: 'col_task', text: () => t(box === 'done' ? 'task_closed' : 'task_open'), nowrap: true,
})

/** The columns of a box, narrowed to one flow or not. */
export function columnsOf(box: Box, flow: string): Column<Row>[] {
  if (flow === 'cqu.work_pass' && box !== 'drafts') {
    return box === 'todo' || box === 'done' ? [...passReview, passTask(box)] : [...passReview, ...extra(base.waiting)]
  }
  return boxColumns[box]
}

// ---- tools

/** What must be asked before a verb is sent. */
export type Asking = 'confirm' | 'reason' | 'note' | 'people' | 'person' | 'add_sign' | 'none'

/** A button above a matter. */
export interface Tool {
  verb: string
  word: string
  icon: IconName
  asks: Asking
  /** Of my task, not of the matter. */
  task: boolean
  grave?: boolean
}

const tools: readonly Tool[] = [
  { verb: 'claim', word: 'act_claim', icon: 'check', asks: 'none', task: true },
  { verb: 'transfer', word: 'act_transfer', icon: 'right', asks: 'person', task: true },
  { verb: 'add_sign', word: 'act_add_sign', icon: 'people', asks: 'add_sign', task: true },
  { verb: 'reassign', word: 'act_reassign', icon: 'people', asks: 'person', task: true },
  { verb: 'urge', word: 'act_urge', icon: 'clock', asks: 'none', task: false },
  { verb: 'cc', word: 'act_cc', icon: 'copy', asks: 'people', task: false },
  { verb: 'withdraw', word: 'act_withdraw', icon: 'back', asks: 'confirm', task: false },
  { verb: 'terminate', word: 'act_terminate', icon: 'close', asks: 'note', task: false, grave: true },
  { verb: 'void', word: 'act_void', icon: 'trash', asks: 'reason', task: false, grave: true },
  { verb: 'discard', word: 'act_discard', icon: 'trash', asks: 'confirm', task: false, grave: true },
]

/** The tools that a person has on a matter now, each once. The server says which; what it does not name is not offered. */
export function toolsOf(matter: Pick<Matter, 'actions' | 'mine'>): Tool[] {
  const mine = matter.mine?.actions ?? []
  return tools.filter((tool) => (tool.verb === 'reassign' ? matter.actions : [...(tool.task ? [] : matter.actions), ...mine]).includes(tool.verb))
}

/** Whether the starter may edit the matter and send it (again). */
export const editable = (matter: Pick<Matter, 'actions'>): boolean => matter.actions.includes('submit') || (matter.actions.includes('save') && matter.actions.includes('discard'))

// ---- history

/** A line of 流转记录. */
export interface Passage {
  step: string
  who: string
  from: number
  to: number // 0 = still open
  /** A trail's verb or outcome, or a task's state. */
  state: string
  name: string
  opinion: string
  entry?: Line
}

/** A verb or outcome as people say it: what the flow calls it comes first. */
export const verbName = (entry: Pick<Line, 'verb' | 'name' | 'en'>): string => pick(entry.name, entry.en) || entry.verb

/** Everything that happened, oldest first, then what is under way. */
export function passages(matter: Pick<Matter, 'trail' | 'tasks'>): Passage[] {
  const closed = new Set<Duty>()
  const past = matter.trail.map((entry): Passage => {
    const task = matter.tasks.find((one) =>
      !closed.has(one) && one.closed_at > 0 && one.closed_at === entry.at && one.step_name === entry.step_name && one.outcome === entry.verb)
    if (task) closed.add(task)
    return {
      step: pick(entry.step_name, entry.step_en), who: nameOfActor(entry.actor), from: task?.opened_at || entry.at, to: entry.at,
      state: entry.verb, name: verbName(entry), opinion: entry.opinion, entry,
    }
  })
  const open = matter.tasks.filter((one) => one.state === 'pending' || one.state === 'waiting').map((one): Passage => ({
    step: one.step_name, who: listed(one.people), from: one.opened_at, to: 0,
    state: one.state, name: t(one.state === 'pending' ? 'task_running' : 'task_waiting'), opinion: '',
  }))
  return [...past, ...open]
}

/** The days of a pass as people say them: from its first to its last. */
export function passDays(pass: { from: string; until: string }): string {
  const { first, last } = daysOf(pass.from, pass.until)
  return first === last ? first : `${first} – ${last}`
}
