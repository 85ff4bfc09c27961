// 查询统计: its filters, its columns, and what they ask of the server.

import { stamp } from '@shared/format'
import { pick } from '@shared/lang'
import type { ReportColumn } from '@shared/types'
import type { Column } from '../../columns'
import { addWords } from '../../i18n'
import type { Filters } from '../../query'

export interface Record {
  id: string
  state: string
  state_en: string
  step_en: string
  applied_at: number
  cells: { [column: string]: string }
}

export type Told = ReportColumn & { shown?: boolean }

/** The states that records are narrowed to, in this order; "" = all. */
export const states = ['', 'draft', 'running', 'rejected', 'withdrawn', 'terminated', 'completed'] as const

/** Every month. */
export const everyMonth = 'all'

/** The month so many months from one, "2026-12" + 1 = "2027-01". */
export function monthFrom(month: string, by: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  const at = year * 12 + number - 1 + by
  return `${String(Math.floor(at / 12)).padStart(4, '0')}-${String((at % 12) + 1).padStart(2, '0')}`
}

/** Filters as the server takes them: no month and no state where all are meant. */
export function asked(filters: Filters): Filters {
  const { flow: _, month = '', ...rest } = filters
  const set = Object.entries(rest).filter(([, value]) => value.trim() !== '')
  return { ...(month && month !== everyMonth ? { month } : {}), ...Object.fromEntries(set.map(([name, value]) => [name, value.trim()])) }
}

/** The columns of the work pass; what other flows have, the server tells. */
export const known: readonly Told[] = [
  { id: 'number', name: '学工号', en: 'Number' },
  { id: 'person', name: '申请人', en: 'Applicant' },
  { id: 'unit', name: '所在单位', en: 'Unit' },
  { id: 'start', name: '通行开始日期', en: 'Pass from' },
  { id: 'end', name: '通行截止日期', en: 'Pass until' },
  { id: 'reason', name: '通行原因', en: 'Reason' },
  { id: 'applied_at', name: '申请时间', en: 'Applied at' },
  { id: 'state', name: '流程状态', en: 'State' },
  { id: 'step', name: '当前环节', en: 'Current step' },
]

// What the messages would read as their own signs stands for itself.
const plain = (name: string) => name.replace(/[{}@|]/g, (sign) => `{'${sign}'}`)

function cell(record: Record, id: string): string {
  const text = record.cells[id] ?? ''
  if (id === 'applied_at') return stamp(record.applied_at)
  if (id === 'state') return pick(text, record.state_en)
  return id === 'step' ? pick(text, record.step_en) : text
}

/** The table's columns: 操作 first, then those that the server tells, in its order. */
export function columnsOf(told: readonly Told[]): Column<Record>[] {
  const word = (column: Told) => 'record_' + column.id.replaceAll('.', '_')
  addWords(Object.fromEntries(told.map((column) => [word(column), [plain(column.name), plain(column.en || column.name)]])))
  const dates = ['applied_at', 'state', 'number', 'person', 'start', 'end']
  return [
    { id: 'open', word: 'col_open', text: () => '', always: true, nowrap: true },
    ...told.map((column): Column<Record> => ({
      id: column.id, word: word(column), text: (record) => cell(record, column.id), usual: column.shown, nowrap: dates.includes(column.id),
    })),
  ]
}

/** Where the file is: the same filters, and the columns that are shown. */
export function exportQuery(filters: Filters, columns: readonly { id: string }[], format: string): Filters {
  return { ...asked(filters), format, columns: columns.map((one) => one.id).filter((id) => id !== 'open').join(',') }
}
