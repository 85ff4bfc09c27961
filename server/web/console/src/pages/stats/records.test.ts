import { describe, expect, it } from 'vitest'
import { shown, readChoice } from '../../columns'
import { t } from '../../i18n'
import { menu, menuFor } from '../../menu'
import '../../words'
import './words'
import { asked, columnsOf, everyMonth, exportQuery, known, monthFrom, states, type Record } from './records'
import { chartsOf, optionOf, some, widest, type Figures } from './charts'

const record: Record = {
  id: 'a1', state: 'running', state_en: 'Under review', step_en: 'College', applied_at: Date.parse('2026-05-01T08:00:30+08:00'),
  cells: { number: '2019103', person: '林晓岚', unit: '教务处', start: '2026-05-02', end: '2026-05-06', reason: '=1+1', applied_at: '2026-05-01 08:00:30', state: '审核中', step: '学院管理人员审核' },
}
const headings = (columns: readonly { word: string }[]) => columns.map((one) => t(one.word))

describe('查询统计', () => {
  it('CQ-085 is in the menu of who reads all records or those of a flow, and of nobody else', () => {
    const seen = (scopes: string[], records = false) => menuFor({ scopes }, records).flatMap((group) => group.entries.map((entry) => entry.to)).includes('/stats')
    expect(seen(['self', 'stats'])).toBe(true)
    expect(seen(['self'], true)).toBe(true)
    expect(seen(['self', 'admin'])).toBe(true)
    expect(seen(['self', 'guard', 'desk', 'events:read'])).toBe(false)
    expect(menu.length).toBe(3)
  })
  it('CQ-085 tells the step where a record is', () => {
    expect(columnsOf(known).at(-1)?.text(record, 0)).toBe('学院管理人员审核')
  })
  it('CQ-086 goes from month to month, over the year, and to all', () => {
    expect(monthFrom('2026-05', -1)).toBe('2026-04')
    expect(monthFrom('2026-12', 1)).toBe('2027-01')
    expect(monthFrom('2026-01', -1)).toBe('2025-12')
    expect(asked({ flow: 'cqu.work_pass', month: '2026-05', state: '', q: '' })).toEqual({ month: '2026-05' })
    expect(asked({ flow: 'cqu.work_pass', month: everyMonth, state: '', q: '' })).toEqual({})
  })
  it('CQ-087 offers 全部 and six states, and asks for no state where all are meant', () => {
    expect(states.map((one) => t(one ? 'state_' + one : 'all'))).toEqual(['全部', '草稿', '审核中', '已驳回', '已撤回', '已终止', '已完成'])
    expect(asked({ month: '2026-05', state: 'rejected', q: ' 林 ' })).toEqual({ month: '2026-05', state: 'rejected', q: '林' })
  })
  it('CQ-088 has these columns in this order', () => {
    expect(headings(columnsOf(known))).toEqual(['操作', '学工号', '申请人', '所在单位', '通行开始日期', '通行截止日期', '通行原因', '申请时间', '流程状态', '当前环节'])
    expect(columnsOf(known).map((one) => one.text(record, 0))).toEqual(['', '2019103', '林晓岚', '教务处', '2026-05-02', '2026-05-06', '=1+1', '2026-05-01 08:00', '审核中', '学院管理人员审核'])
  })
  it('CQ-088 shows what was chosen and remembered; 操作 stays', () => {
    const all = columnsOf(known)
    expect(headings(shown(all, readChoice('person,step', all)))).toEqual(['操作', '申请人', '当前环节'])
    expect(headings(shown(all, readChoice('no.such', all)))).toHaveLength(10)
  })
  it('CQ-088 exports with the same filters and the columns that are shown', () => {
    const filters = { flow: 'cqu.work_pass', month: '2026-05', state: 'running', q: '' }
    expect(exportQuery(filters, shown(columnsOf(known), new Set(['state', 'number'])), 'csv')).toEqual({ month: '2026-05', state: 'running', format: 'csv', columns: 'number,state' })
  })
  it('takes the columns that a flow has besides, by names that are no signs of the messages', () => {
    const all = columnsOf([{ id: 'form.unit', name: '受访{单位}@|', en: '', shown: false }, ...known])
    expect(headings(all)[1]).toBe('受访{单位}@|')
    expect(shown(all, null)).toHaveLength(10)
  })
})

describe('charts', () => {
  const figures: Figures = {
    by_day: [{ key: '2026-05-01', count: 5, admitted: 221, refused: 3 }], by_gate: [{ key: '1', name: '', count: 4, admitted: 4, refused: 0 }],
    by_reason: Array.from({ length: 20 }, (_, at) => ({ key: String(at), name: `第${at}`, en: '', count: 20 - at })), by_unit: [], by_hour: [{ key: '08', admitted: 3, refused: 1 }], running: 0,
  }
  const [days, gates, reasons, units] = chartsOf(figures)
  it('say the same as their tables, with patterns beside the colours', () => {
    expect(days?.rows.map((row) => row.values[0])).toEqual([5, 221, 3])
    const option = optionOf(days!, (name) => name) as { aria: { decal: { show: boolean } }; series: { data: number[] }[] }
    expect(option.aria.decal.show).toBe(true)
    expect(option.series.map((one) => one.data)).toEqual([[5], [221], [3]])
  })
  it('name a gate without a name by its number, draw the first few, and nothing where there is nothing', () => {
    expect(gates?.names).toEqual(['1'])
    expect((optionOf(reasons!, String) as { series: { data: number[] }[] }).series[0]?.data).toHaveLength(widest)
    expect(reasons?.names).toHaveLength(20)
    expect(some(units!)).toBe(false)
    expect(some(days!)).toBe(true)
  })
})
