import { expect, it } from 'vitest'
import { detail } from '../audit/trail'
import { agentOf, laneWords, troubles, type Agent, type Gate } from '../gates/gates'
import { hoursOf } from '../stats/charts'
import { alarmsOf, lastBackup, numbersOf } from './overview'

const gate: Gate = { id: 1, name: '东门', zone: 1, policy: 'owner', documents: 'none', created_at: 0 }
const agent = (epoch: number, live?: Partial<NonNullable<Agent['live']>>, more: Partial<Agent> = {}): Agent => ({
  id: epoch, gate: 1, epoch, hostname: 'pc', enrolled_at: 1, acked: 0,
  live: live && { connected: true, since: 1, last_seen: 1, remote: '', software: '', queue: 3, revision: 1, ...live }, ...more,
})
const kept = { backup: { scheduled: true, at: '03:10', last: { at: 1777564800000, bytes: 2_500_000 }, late: false }, unheard: [], gaps: [] }
const figures = { by_day: [{ key: '2026-05-01', count: 0, admitted: 9, refused: 2 }], by_hour: [{ key: '08', admitted: 9, refused: 2 }], by_gate: [], by_reason: [], by_unit: [], running: 4 }

it('says what lanes are like in words, and states without a word as they are', () => {
  expect(laneWords('scanner ok, barrier lost')).toBe('扫码器 正常，闸机 断开')
  expect(laneWords('scanner odd thing')).toBe('扫码器 odd thing')
})

it('sends somebody to a device that is away for a minute', () => {
  const device = { lane: '进口', kind: 'scanner', driver: 'serial', name: '2', state: 'lost', since: 1_000, detail: '' }
  const seen = (last_seen: number, ...devices: (typeof device)[]) => troubles(agent(1, { last_seen, devices, lanes: { 进口: 'scanner lost, barrier ok' } }))
  expect(seen(60_999, device)).toEqual([])
  expect(seen(61_000, device)).toEqual(['进口：扫码器 2 断开'])
  expect(seen(9e9, { ...device, state: 'ok' }, { ...device, state: 'starting' })).toEqual([])
  expect(seen(9e9, { ...device, kind: 'lamp', name: '', lane: '', state: 'odd' })).toEqual(['lamp odd'])
})

it('says plainly when nobody gets in, and which way a clock is wrong', () => {
  const disk = { lane: '', kind: 'disk', driver: 'store', name: '', state: 'full', since: 1_000, detail: '' }
  expect(troubles(agent(1, { last_seen: 1_001, devices: [disk] }))).toEqual(['硬盘 已满'])
  expect(troubles(agent(1, { offset_ms: 900 }))).toEqual([])
  expect(troubles(agent(1, { offset_ms: -3_600_000 }))).toEqual(['电脑时钟快 60 分钟：程序已校正，请校时'])
  expect(troubles(agent(1, { offset_ms: 86_400_000 }))).toEqual(['电脑时钟慢 24 小时：程序已校正，请校时'])
  expect(troubles(agent(1, { offset_ms: 56 * 365 * 86_400_000 }))).toEqual(['电脑时钟慢 20440 天：程序已校正，请校时'])
})

it('has the latest agent that was not revoked decide at a gate', () => {
  expect(agentOf(gate, [agent(1, {}), agent(2, {}), agent(3, {}, { revoked_at: 5 })])?.epoch).toBe(2)
  expect(agentOf({ ...gate, id: 2 }, [agent(1, {})])).toBeUndefined()
})

it('counts what there is and lists what is wrong', () => {
  const seen = { gates: [{ gate, agent: agent(1, { connected: false, queue: 200 }) }, { gate: { ...gate, id: 2, name: '西门' } }], figures, conflicts: 500, quarantined: 0, keeping: kept }
  expect(numbersOf(seen).map((one) => one.n)).toEqual([0, 200, 9, 2, 4])
  expect(alarmsOf(seen).map((one) => one.where)).toEqual(['东门', '东门', '西门', '超次使用'])
  expect(alarmsOf(seen).at(-1)?.what).toContain('500+')
  expect(troubles(agent(1, {}))).toEqual([])
  expect(hoursOf(figures, 'x').names).toEqual(['08:00'])
})

it('says plainly that there is no backup, that one failed, and what a restore left open', () => {
  const seen = (keeping: typeof kept) => alarmsOf({ gates: [], figures, conflicts: 0, quarantined: 0, keeping }).map((one) => one.what)
  expect(seen(kept)).toEqual([])
  expect(lastBackup(kept)).toContain('2026-05-01')
  const none = { backup: { scheduled: false, late: false }, unheard: [1, 2], gaps: [{ agent: 3, first: 5, last: 9 }] }
  expect(seen(none as never)).toHaveLength(3)
  expect(seen(none as never)[0]).toContain('没有配置自动备份')
  expect(lastBackup(none as never)).toBe('从未备份')
  const failed = { ...kept, backup: { ...kept.backup, late: true, failed_at: 1777564800000, failure: 'no folder /mnt' } }
  expect(seen(failed)).toEqual(['2026-05-01 00:00 备份失败：no folder /mnt'])
  expect(seen({ ...kept, backup: { ...kept.backup, late: true } })[0]).toContain('03:10')
})

it('shows moments of the trail as people read them', () => {
  expect(detail({ expires_at: 1777564800000, draining_since: 0, name: '东门', rows: 3 })).toBe('expires_at: 2026-05-01 00:00:00 · name: 东门 · rows: 3')
})
