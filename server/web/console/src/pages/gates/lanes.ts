// What holds at the lanes of gates, who is inside, and emergencies: the shapes,
// and opening hours between the way they are typed and the way they are sent.

import { addWords, t } from '../../i18n'

export const kinds = ['resident_single', 'resident_multi', 'work', 'visitor', 'vehicle'] as const
export type Kind = (typeof kinds)[number]

export interface Span { from: number; until: number }
export interface Hours {
  kinds: Kind[]
  week: (Span & { day: number })[]
  dates?: { from: string; until: string; spans?: Span[] }[]
}

export interface AreaRule {
  passback: 'none' | 'alert' | 'enforce'
  limit?: number
  watch?: boolean
  forget_hours?: number
  day_end?: number
}

export interface Policy {
  gate: number
  area_name: string
  area_gates: number[]
  lanes?: { name: string; kinds: Kind[] }[]
  hours?: Hours[]
  exempt?: Kind[]
  group?: string
  area: AreaRule
  changed_at?: number
  changed_by?: string
}

export interface Occupancy { area: string; gates: number[]; inside: number; rule: AreaRule }
export interface Insider { pass_id: string; kind: Kind; name: string; gate: number; since: number }

export interface Emergency {
  scope: string
  state: 'lockdown' | 'open'
  reason: string
  by: string
  since: number
  until?: number
  source: 'server' | 'guard' | 'input'
}

/** Hours as they are typed: a line of windows for each day of the week, and lines of dates. */
export interface HoursDraft { kinds: Kind[]; week: string[]; dates: string }

const two = (n: number): string => String(n).padStart(2, '0')
export const clockOf = (minute: number): string => `${two(Math.floor(minute / 60))}:${two(minute % 60)}`

/** Minutes after midnight of "06:30", up to "24:00"; null where it is no time. */
export function minuteOf(text: string): number | null {
  const found = /^(\d{1,2})[:：](\d{2})$/.exec(text.trim())
  if (!found) return null
  const minute = Number(found[1]) * 60 + Number(found[2])
  return Number(found[2]) < 60 && minute <= 1440 ? minute : null
}

const spanText = (span: Span): string => `${clockOf(span.from)}-${clockOf(span.until)}`

/** Windows of "06:30-11:00, 22:00-02:00"; null where one is none. Empty = none. */
export function spansOf(text: string): Span[] | null {
  const list: Span[] = []
  for (const part of text.split(/[,，;；\s]+/).filter(Boolean)) {
    const [from, until, ...more] = part.split(/[-–~至]/)
    const a = minuteOf(from ?? '')
    const b = minuteOf(until ?? '')
    if (a === null || b === null || a === 1440 || a === b || more.length) return null
    list.push({ from: a, until: b })
  }
  return list
}

export function draftOf(hours: Hours): HoursDraft {
  return {
    kinds: [...hours.kinds],
    week: [1, 2, 3, 4, 5, 6, 7].map((day) => hours.week.filter((one) => one.day === day).map(spanText).join(', ')),
    dates: (hours.dates ?? []).map((one) => [one.from === one.until ? one.from : `${one.from}~${one.until}`, ...(one.spans ?? []).map(spanText)].join(' ')).join('\n'),
  }
}

/** The hours of a draft, and what is wrong with it: by "week.3" (Wednesday's line) or "dates". */
export function hoursOf(draft: HoursDraft): { hours: Hours; faults: string[] } {
  const faults: string[] = []
  const hours: Hours = { kinds: draft.kinds, week: [], dates: [] }
  draft.week.forEach((line, at) => {
    const spans = spansOf(line)
    if (!spans) faults.push(`week.${at}`)
    else hours.week.push(...spans.map((span) => ({ day: at + 1, ...span })))
  })
  for (const line of draft.dates.split('\n').map((one) => one.trim()).filter(Boolean)) {
    const found = /^(\d{4}-\d{2}-\d{2})(?:\s*[~至]\s*(\d{4}-\d{2}-\d{2}))?(?:\s+(.*))?$/.exec(line)
    const spans = found && spansOf(found[3] ?? '')
    if (!found || !spans) {
      faults.push('dates')
      break
    }
    hours.dates?.push({ from: found[1]!, until: found[2] ?? found[1]!, spans })
  }
  if (!draft.kinds.length) faults.push('kinds')
  return { hours, faults }
}

/** A scope or an area in words: the campus, a zone, a gate, a group. */
export function scopeName(scope: string, gates: readonly { id: number; name: string }[], zones: readonly { id: number; name: string }[]): string {
  const [what, which = ''] = scope.split(/:(.*)/s)
  if (what === 'campus') return t('scope_campus')
  if (what === 'group') return t('scope_group', { name: which })
  const named = (what === 'zone' ? zones : gates).find((one) => String(one.id) === which)?.name ?? which
  return t(what === 'zone' ? 'scope_zone' : 'scope_gate', { name: named })
}

addWords({
  gate_tab_gates: ['校门与设备', 'Gates and agents'],
  gate_tab_inside: ['在内人员', 'Who is inside'],
  gate_tab_emergency: ['封控与紧急', 'Emergency'],
  lane_policy: ['通道规则', 'Lane rules'],
  lane_policy_of: ['「{name}」的通道规则', 'Lane rules of {name}'],
  lane_save: ['保存并下发', 'Save and send'],
  lane_saved: ['通道规则已保存并下发', 'The rules are saved and sent'],
  lane_changed: ['{by} 于 {at} 修改', 'Changed by {by} on {at}'],
  lane_faults: ['有 {n} 处需要改正', '{n} things to put right'],
  lane_kinds: ['各通道准入码种', 'Kinds by lane'],
  lane_kinds_hint: ['不勾选任何码种即全部准入；出校不受限制', 'None ticked = every kind; leaving is never restricted'],
  lane_kinds_none: ['门岗程序连接后显示通道', 'Lanes show once the agent has connected'],
  lane_hours: ['开放时间', 'Opening hours'],
  lane_hours_hint: ['校园时间；未列出的码种全天开放；如 06:30-11:00, 22:00-02:00（跨零点）', 'Campus time; kinds not listed come in at any time; such as 06:30-11:00, 22:00-02:00 (past midnight)'],
  lane_hours_add: ['添加一组时间', 'Add hours'],
  lane_hours_remove: ['删除第 {n} 组时间', 'Remove hours {n}'],
  lane_hours_n: ['第 {n} 组', 'Hours {n}'],
  lane_hours_for: ['适用码种', 'For'],
  lane_day_1: ['周一', 'Monday'],
  lane_day_2: ['周二', 'Tuesday'],
  lane_day_3: ['周三', 'Wednesday'],
  lane_day_4: ['周四', 'Thursday'],
  lane_day_5: ['周五', 'Friday'],
  lane_day_6: ['周六', 'Saturday'],
  lane_day_7: ['周日', 'Sunday'],
  lane_closed: ['关闭', 'Closed'],
  lane_copy: ['各天同周一', 'Every day as Monday'],
  lane_dates: ['特殊日期', 'Special dates'],
  lane_dates_hint: ['每行一个：2026-10-01~2026-10-07 为关闭；2026-10-08 09:00-12:00 为当天时间', 'One a line: 2026-10-01~2026-10-07 is closed; 2026-10-08 09:00-12:00 has hours of its own'],
  lane_fault_span: ['应如 06:30-23:00', 'Want times such as 06:30-23:00'],
  lane_fault_dates: ['应如 2026-10-01~2026-10-07 或 2026-10-08 09:00-12:00', 'Want 2026-10-01~2026-10-07 or 2026-10-08 09:00-12:00'],
  lane_fault_kinds: ['请至少选一种', 'Choose one at least'],
  lane_fault_number: ['应为不小于 0 的整数', 'Want a whole number, 0 or more'],
  lane_fault_time: ['应如 04:00', 'Want a time such as 04:00'],
  lane_area: ['防重入与人数', 'Anti-passback and occupancy'],
  lane_area_hint: ['与同区域的校门共用：{gates}', 'Shared by the gates of the area: {gates}'],
  lane_passback: ['防重入', 'Anti-passback'],
  lane_passback_none: ['关闭', 'Off'],
  lane_passback_alert: ['放行并提醒', 'Let in, and alert'],
  lane_passback_enforce: ['拒绝', 'Refuse'],
  lane_limit: ['人数上限（空为不限）', 'Most inside (empty = no limit)'],
  lane_forget: ['几小时后视为离开（空为不自动）', 'Hours until taken to have left (empty = never)'],
  lane_day_end: ['每天几点清零（空为不清）', 'Everybody has left at (empty = never)'],
  lane_watch: ['保留在内名单', 'Keep the list of who is inside'],
  lane_group: ['计数组（空为按区域）', 'Group that counts together (empty = the zone)'],
  lane_exempt: ['封控时仍可进入', 'Let in during a lockdown'],
  lane_stale: ['各门以各自所知判定：联网时约 1 秒内同步；断网的门只知道自己的进出，人数可能超过上限。', 'Each gate goes by what it knows: about a second old while connected. A gate without the server knows of itself only, and may let more in than the limit.'],
  scope_campus: ['全校', 'The whole campus'],
  scope_zone: ['区域 {name}', 'Zone {name}'],
  scope_gate: ['校门 {name}', 'Gate {name}'],
  scope_group: ['组 {name}', 'Group {name}'],
  inside_none_kept: ['还没有区域记录在内人员；请在校门的通道规则中打开', 'No area keeps who is inside; turn it on in the lane rules of a gate'],
  inside_of: ['{n} 人在内', '{n} inside'],
  inside_limit: ['上限 {n}', 'at most {n}'],
  inside_search: ['姓名或通行证编号', 'Name or pass id'],
  inside_name: ['姓名', 'Name'],
  inside_kind: ['码种', 'Kind'],
  inside_gate: ['进入的校门', 'Came in by'],
  inside_since: ['进入时间', 'Since'],
  inside_empty: ['现在没有人在内', 'Nobody is inside'],
  inside_elsewhere: ['（其他系统签发）', '(issued elsewhere)'],
  inside_clear: ['清除', 'Clear'],
  inside_clear_of: ['清除 {name} 的在内记录', 'Clear {name}'],
  inside_reason: ['原因', 'Reason'],
  inside_cleared: ['已清除', 'Cleared'],
  inside_fresh: ['每 5 秒刷新；最多列出 500 人', 'Refreshed every 5 s; at most 500 are listed'],
  emergency_now: ['正在生效', 'In force'],
  emergency_none: ['一切正常，没有封控或紧急开闸', 'All is normal: no lockdown, no emergency opening'],
  emergency_open: ['紧急开闸', 'Emergency opening'],
  emergency_lockdown: ['封控', 'Lockdown'],
  emergency_since: ['{by}，{at} 起', '{by}, since {at}'],
  emergency_until: ['，至 {at}', ', until {at}'],
  emergency_by_guard: ['门卫在本门发出，由本门结束', 'Ordered by the guard there, and ended there'],
  emergency_by_input: ['现场紧急按钮，松开后结束', 'By the contact there, and ended by it'],
  emergency_end: ['恢复正常', 'Back to normal'],
  emergency_end_of: ['恢复正常：{name}', 'Back to normal: {name}'],
  emergency_new: ['发出指令', 'Give an order'],
  emergency_scope: ['范围', 'Where'],
  emergency_reason: ['原因', 'Reason'],
  emergency_for: ['多久后自动结束', 'Ends by itself after'],
  emergency_for_0: ['不自动结束', 'not by itself'],
  emergency_for_1: ['1 小时', '1 hour'],
  emergency_for_4: ['4 小时', '4 hours'],
  emergency_for_24: ['24 小时', '24 hours'],
  emergency_what_open: ['所选范围的闸机全部打开并保持，任何人都可通过，不计次数。', 'Every barrier there opens and stays open; everybody can pass, and nothing is counted.'],
  emergency_what_lockdown: ['所选范围内任何人不得进入，豁免码种除外；出校照常放行并提醒。', 'Nobody comes in there but the exempt kinds; whoever wants out gets out.'],
  emergency_sure: ['{what} · {where}。{how}', '{what} · {where}. {how}'],
  emergency_done: ['指令已下发', 'The order is sent'],
})
