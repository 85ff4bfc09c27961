import { afterEach, describe, expect, it } from 'vitest'
import { lang } from '@shared/lang'
import type { Box } from '@shared/types'
import { shown } from './columns'
import { columnsOf, editable, elapsed, handling, passages, passDays, tone, toolsOf } from './matters'
import { t } from './i18n'
import type { Matter, MatterRow } from './shapes'
import './words'

afterEach(() => (lang.value = 'zh'))

const row = (more: Partial<MatterRow> = {}): MatterRow => ({
  id: 'a1', flow: 'cqu.work_pass', flow_name: '校区工作通行证', group: '校园通行', title: '疫期通行证', serial: '', state: 'running', state_name: '审核中',
  starter: { number: '2019103', name: '林晓岚', unit: '教务处' }, created_at: Date.UTC(2026, 4, 1), submitted_at: Date.UTC(2026, 4, 1), ended_at: 0,
  step: 'unit', step_name: '部门领导审核', waiting: ['周文博', '何静怡'], task: { id: 't1', state: 'pending', opened_at: 0 }, pass: null,
  summary: [{ name: '通行开始日期', value: '2026-05-02' }, { name: '通行截止日期', value: '2026-05-06' }, { name: '通行原因', value: '=1+1' }], ...more,
})

const headings = (box: Box, flow = '') => shown(columnsOf(box, flow), null).map((c) => t(c.word))
const cells = (box: Box, of: MatterRow, flow = '') => shown(columnsOf(box, flow), null).map((c) => c.text(of, 0))

describe('the columns of a box', () => {
  it('CM-022 to do: as the hall names them, in its order', () => {
    expect(headings('todo')).toEqual(['序号', '流程标题', '申请人', '申请时间', '办理状态', '未操作者'])
    expect(cells('todo', row())).toEqual(['1', '疫期通行证', '林晓岚', '2026-05-01 08:00', '待办理', '周文博、何静怡'])
  })
  it('CM-024 CM-023 done: 已处理, and what became of the matter', () => {
    expect(headings('done')).toEqual(['序号', '流程标题', '申请人', '申请时间', '办理状态', '流程状态'])
    expect(cells('done', row({ state: 'returned', state_name: '退回' })).slice(4)).toEqual(['已处理', '退回'])
  })
  it('CM-025 CM-035 started: the state, and who has not acted', () => {
    expect(headings('started')).toEqual(['序号', '流程标题', '申请人', '申请时间', '流程状态', '未操作者'])
    expect(cells('started', row()).slice(4)).toEqual(['审核中', '周文博、何静怡'])
  })
  it('CQ-074 the review list of work passes has its ten columns', () => {
    expect(headings('todo', 'cqu.work_pass')).toEqual(['操作', '学工号', '申请人', '所在单位', '通行开始日期', '通行截止日期', '通行原因', '申请时间', '流程状态', '任务状态'])
    expect(cells('todo', row(), 'cqu.work_pass').slice(1)).toEqual(['2019103', '林晓岚', '教务处', '2026-05-02', '2026-05-06', '=1+1', '2026-05-01 08:00', '审核中', '待办'])
    expect(cells('done', row(), 'cqu.work_pass').at(-1)).toBe('已办')
  })
  it('ZA-017 ZA-025 the step, the service and how long it waits can be chosen too', () => {
    const all = columnsOf('todo', '').map((c) => t(c.word))
    expect(all).toEqual(expect.arrayContaining(['流程', '审批步骤', '计时']))
    expect(columnsOf('started', '').map((c) => t(c.word))).toContain('审批步骤')
  })
  it('have words in both languages', () => {
    lang.value = 'en'
    for (const box of ['todo', 'done', 'started', 'cc', 'drafts'] as const) {
      for (const c of [...columnsOf(box, ''), ...columnsOf(box, 'cqu.work_pass')]) expect(t(c.word), c.word).toMatch(/^[A-Z]/)
    }
  })
  it('leave cells empty where a matter says nothing', () => {
    const bare = row({ summary: [], waiting: [], task: null })
    expect(cells('todo', bare, 'cqu.work_pass').slice(4, 7)).toEqual(['', '', ''])
    expect(handling(bare, 'todo')).toBe('')
  })
})

describe('how long something waits', () => {
  const minute = 60_000
  it.each([
    [0, '0分钟', '0m'], [59_999, '0分钟', '0m'], [5 * minute, '5分钟', '5m'], [60 * minute, '1小时', '1h'], [61 * minute, '1小时1分钟', '1h 1m'],
    [1440 * minute, '1天', '1d'], [(2 * 1440 + 180 + 7) * minute, '2天3小时', '2d 3h'], [(1440 + 7) * minute, '1天', '1d'], [-5 * minute, '0分钟', '0m'],
  ])('%i ms', (ms, zh, en) => {
    expect(elapsed(0, ms)).toBe(zh)
    lang.value = 'en'
    expect(elapsed(0, ms)).toBe(en)
  })
})

describe('the tools', () => {
  const task = (actions: string[]) => ({ task: 't1', step_name: '', kind: 'approve', opinion: 'optional' as const, outcomes: [], form: [], next: null, actions })
  const verbs = (actions: string[], mine: string[] | null = null) => toolsOf({ actions, mine: mine && task(mine) }).map((tool) => tool.verb)

  it('CM-037 ZA-021 a handler has what the step offers, copying once', () => {
    expect(verbs(['cc', 'comment', 'print', 'trace'], ['transfer', 'add_sign', 'cc', 'save'])).toEqual(['transfer', 'add_sign', 'cc'])
  })
  it('ZA-023 ZA-024 CQ-090 CQ-091 the starter urges, withdraws and terminates while the server offers it', () => {
    expect(verbs(['withdraw', 'terminate', 'urge', 'cc', 'print'])).toEqual(['urge', 'cc', 'withdraw', 'terminate'])
    expect(verbs(['print', 'trace'])).toEqual([])
  })
  it('CM-040 voiding asks for a reason, and what cannot be undone is marked', () => {
    const [tool] = toolsOf({ actions: ['void'], mine: null })
    expect(tool).toMatchObject({ verb: 'void', asks: 'reason', grave: true })
  })
  it('a task’s verb named for the matter only is not offered', () => {
    expect(verbs(['transfer', 'add_sign', 'claim'])).toEqual([])
    expect(verbs(['reassign'])).toEqual(['reassign'])
  })
  it('CQ-089 only what the starter may submit, or a draft, is edited', () => {
    expect([['submit', 'save'], ['save', 'discard'], ['save'], ['print'], []].map((actions) => editable({ actions }))).toEqual([true, true, false, false, false])
  })
})

describe('the history', () => {
  const matter = (): Pick<Matter, 'trail' | 'tasks'> => ({
    trail: [
      { at: 100, step_name: '发起人', actor: { number: '1', name: '林晓岚' }, verb: 'submit', name: '提交', en: 'Submitted', opinion: '', to: [], attachments: [] },
      { at: 300, step_name: '审核人', actor: { number: '2', name: '周文博' }, verb: 'agree', name: '同意', en: 'Agreed', opinion: '好', to: [], attachments: [] },
    ],
    tasks: [
      { id: 't1', step: 'a', step_name: '审核人', round: 1, seats: [], people: ['周文博'], state: 'done', outcome: 'agree', opinion: '好', opened_at: 100, closed_at: 300, mine: false },
      { id: 't2', step: 'b', step_name: '部门负责人', round: 1, seats: [], people: ['高远', '吴蔚'], state: 'pending', outcome: '', opinion: '', opened_at: 300, closed_at: 0, mine: false },
      { id: 't3', step: 'b', step_name: '部门负责人', round: 1, seats: [], people: ['郑可'], state: 'cancelled', outcome: '', opinion: '', opened_at: 200, closed_at: 250, mine: false },
    ],
  })
  it('ZA-026 ZA-019 says step, who, from when, until when, with what and why, and what is under way', () => {
    expect(passages(matter()).map((p) => [p.step, p.who, p.from, p.to, p.name, p.opinion])).toEqual([
      ['发起人', '林晓岚', 100, 100, '提交', ''],
      ['审核人', '周文博', 100, 300, '同意', '好'],
      ['部门负责人', '高远、吴蔚', 300, 0, '处理中', ''],
    ])
  })
  it('uses each task once, although one person decided twice in the same moment', () => {
    const twice = matter()
    twice.trail.push({ ...twice.trail[1]! })
    expect(passages(twice).slice(1, 3).map((p) => p.from)).toEqual([100, 300])
  })
  it('tells states apart by more than one look', () => {
    expect(['running', 'completed', 'returned', 'rejected', 'draft', 'unheard-of'].map(tone)).toEqual(['running', 'good', 'warn', 'bad', 'rest', 'rest'])
  })
  it('CQ-057 says the last day of a pass, not the first after it', () => {
    expect(passDays({ from: '2026-05-02T00:00:00+08:00', until: '2026-05-07T00:00:00+08:00' })).toBe('2026-05-02 – 2026-05-06')
    expect(passDays({ from: '2026-05-02T00:00:00+08:00', until: '2026-05-03T00:00:00+08:00' })).toBe('2026-05-02')
  })
})
