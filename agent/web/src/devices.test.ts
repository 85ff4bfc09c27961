import { beforeEach, describe, expect, it } from 'vitest'
import { adviceOf, headOf, stateOf, troubled } from './devices'
import { lang } from './lang'
import type { Device, Status } from './types'

const device = (more: Partial<Device>): Device => ({ lane: '主通道', kind: 'scanner', driver: 'serial', name: '', state: 'ok', since: 0, detail: '', ...more })

describe('devices', () => {
  beforeEach(() => {
    lang.value = 'zh'
  })

  it('are passed over while they are well, start, or are not there', () => {
    const s = { devices: [device({}), device({ state: 'starting' }), device({ driver: 'none', state: 'lost' })] } as unknown as Status
    expect(troubled(s)).toEqual([])
    expect(troubled({ devices: null } as unknown as Status)).toEqual([])
    expect(troubled(null)).toEqual([])
  })

  it('that are gone come before those that are silent', () => {
    const s = { devices: [device({ state: 'silent', name: 'a' }), device({ state: 'stuck', name: 'b' })] } as unknown as Status
    expect(troubled(s).map((d) => d.name)).toEqual(['b', 'a'])
  })

  it('are named with what to do, in both languages', () => {
    const two = device({ name: '2', state: 'lost' })
    expect(headOf(two)).toBe('扫码器断开：主通道 2')
    expect(stateOf(two)).toBe('扫码器 2 断开')
    expect(adviceOf(two, 'gate')).toContain('手工输入')
    expect(adviceOf(two, 'till')).toContain('键盘式')
    lang.value = 'en'
    expect(headOf(device({ kind: 'barrier', state: 'stuck' }))).toBe('Barrier stuck: 主通道')
    expect(adviceOf(device({ kind: 'barrier', state: 'stuck' }), 'gate')).toContain('by hand')
  })

  it('say that nobody is let in while the disk takes nothing', () => {
    const disk = device({ lane: '', kind: 'disk', driver: 'store', state: 'full', detail: 'database or disk is full (13)' })
    expect(headOf(disk)).toBe('本机硬盘已满')
    expect(adviceOf(disk, 'gate')).toContain('暂停放行')
    expect(adviceOf(disk, 'till')).toContain('暂停收款')
    lang.value = 'en'
    expect(headOf({ ...disk, state: 'failing' })).toBe('Disk cannot be written')
    expect(adviceOf({ ...disk, state: 'failing' }, 'gate')).toContain('have the disk looked at')
  })

  it('of a kind or in a state without a word are shown as they are', () => {
    const odd = device({ kind: 'lamp', lane: '', state: 'dim', detail: 'half a volt' })
    expect(headOf(odd)).toBe('lamp dim')
    expect(adviceOf(odd, 'gate')).toBe('half a volt')
    expect(adviceOf(device({ kind: 'lamp', state: 'lost' }), 'gate')).toBe('请检查插头和电源')
  })
})
