// What the server says in Chinese, with English beside it where there is some,
// as the page's language has it.

import { lang, pick } from './lang'
import type { FieldType, Option, PersonRef, Row } from './types'

/** Names one after the other. */
export const listed = (names: readonly string[]): string => names.join(lang.value === 'zh' ? '、' : ', ')

/** What a matter is called: its own title, or its flow's name. */
export const titleOf = (matter: Pick<Row, 'title' | 'flow_name' | 'flow_en'>): string =>
  matter.title && matter.title !== matter.flow_name ? matter.title : pick(matter.flow_name, matter.flow_en)

/** A field's value in words: a choice has them in both languages. */
export function textOf(field: { type: FieldType | string; text?: string; value?: unknown; options?: Option[] | null }): string {
  const values = Array.isArray(field.value) ? field.value : [field.value]
  const chosen = field.type === 'select' ? values.map((value) => field.options?.find((one) => one.value === value)?.en) : []
  return pick(field.text ?? '', chosen.every(Boolean) ? chosen.join(', ') : '')
}

/** One line of what tells a matter from another. */
export const summaryLine = (one: Row['summary'][number]): [name: string, value: string] => [pick(one.name, one.en), pick(one.value, one.value_en)]

/** The name of somebody, or of the server itself. */
export const nameOfActor = (actor: Pick<PersonRef, 'number' | 'name'>): string =>
  !actor.name || actor.number === 'system' ? pick('系统', 'System') : actor.name

const roles: Record<string, string> = {
  admin: 'Administrator', desk: 'Desk', guard: 'Guard', stats: 'Statistics', auditor: 'Auditor',
  community: 'Community office', college_admin: 'College office', xgb_leader: 'Student office', ygb_leader: 'Graduate office', security_office: 'Security office',
}

/** The name of a post. Posts of a campus's own flows have none in English. */
export const roleIn = (role: string, name: string): string => pick(name, roles[role])
