import { describe, expect, it } from 'vitest'
import { closedLanes, COMING_MS, kioskFace, MISSED_MS, reduce, REFUSED_MS, SHOW_MS, start, UNHEARD_MS, viewOf, type State } from './state'
import type { Kiosk, KioskCall, KioskScan } from './types'

const kiosk = (change: Partial<Kiosk> = {}): Kiosk => ({
  gate: { id: 3, name: '北门' }, software: '1', now: 1_000, phone: '110', other_gate: '东门', on_call: true, online: true, trouble: '',
  lanes: [{ name: 'a', direction: 'in', trouble: '' }, { name: 'b', direction: 'out', trouble: '' }], calls: [], ...change,
})
const scan = (change: Partial<KioskScan> = {}): KioskScan => ({ id: 's1', at: 1, lane: 'a', direction: 'in', reason: 'granted', opens: true, ...change })
const call = (change: Partial<KioskCall> = {}): KioskCall => ({ id: 'c1', lane: 'a', at: 1, reason: 'help', state: 'calling', ...change })

const hear = (s: State, k: Kiosk, now: number, lane = ''): State => reduce(s, { type: 'message', message: { type: 'kiosk', kiosk: k }, now }, lane)
const see = (s: State, x: KioskScan, now: number, lane = ''): State => reduce(s, { type: 'message', message: { type: 'scan', scan: x }, now }, lane)
const pass = (s: State, now: number): State => reduce(s, { type: 'tick', now })
const ready = (): State => hear(start(0), kiosk(), 0)

describe('a kiosk', () => {
  it('returns to idle by itself, later after a refusal', () => {
    let s = see(ready(), scan(), 100)
    expect(viewOf(pass(s, 99 + SHOW_MS), 99 + SHOW_MS).name).toBe('verdict')
    expect(viewOf(pass(s, 100 + SHOW_MS), 100 + SHOW_MS).name).toBe('idle')
    s = see(ready(), scan({ reason: 'expired', opens: false }), 100)
    expect(viewOf(pass(s, 99 + REFUSED_MS), 99 + REFUSED_MS).name).toBe('verdict')
    expect(viewOf(pass(s, 100 + REFUSED_MS), 100 + REFUSED_MS).name).toBe('idle')
  })

  it('shows only the scans of its own lane', () => {
    expect(viewOf(see(ready(), scan({ lane: 'b' }), 1, 'a'), 1, 'a').name).toBe('idle')
    expect(viewOf(see(ready(), scan({ lane: 'a' }), 1, 'a'), 1, 'a').name).toBe('verdict')
  })

  it('makes a sound for each result, and none for what it showed already', () => {
    const first = see(ready(), scan({ reason: 'revoked', opens: false }), 1)
    expect(first.cue).toEqual({ n: 1, sound: 'denied' })
    expect(see(first, scan({ reason: 'revoked', opens: false }), 2)).toBe(first)
  })

  it('asks for another try rather than refusing, where that helps', () => {
    expect(['malformed', 'proof_stale', 'revoked'].map((reason) => kioskFace(scan({ reason, opens: false })))).toEqual(['again', 'again', 'denied'])
  })

  it('forgets what was going on when the agent falls silent', () => {
    const s = reduce(see(ready(), scan(), 1), { type: 'lost' })
    expect(viewOf(s, 2)).toEqual({ name: 'trouble', why: 'agent' })
    expect(viewOf(hear(s, kiosk(), 3), 3).name).toBe('idle')
  })

  it('is out of order as a whole, or by lane', () => {
    expect(viewOf(hear(ready(), kiosk({ trouble: 'clock' }), 1), 1)).toEqual({ name: 'trouble', why: 'clock' })
    const half = kiosk({ lanes: [{ name: 'a', direction: 'in', trouble: 'barrier' }, { name: 'b', direction: 'out', trouble: '' }] })
    const s = hear(ready(), half, 1)
    expect([viewOf(s, 1).name, closedLanes(s)]).toEqual(['idle', ['a']])
    expect(viewOf(s, 1, 'a')).toEqual({ name: 'trouble', why: 'barrier' })
  })

  it('shows no green light where the barrier does not move', () => {
    const dead = kiosk({ lanes: [{ name: 'a', direction: 'in', trouble: 'barrier' }] })
    expect(viewOf(see(hear(ready(), dead, 1), scan(), 1), 1).name).toBe('trouble')
    expect(viewOf(see(hear(ready(), dead, 1), scan({ reason: 'revoked', opens: false }), 1), 1).name).toBe('verdict')
  })
})

describe('a call', () => {
  it('says after three seconds that nobody is known to hear it', () => {
    const s = hear(ready(), kiosk({ calls: [call()] }), 100)
    expect(viewOf(s, 100)).toMatchObject({ name: 'call', stage: 'calling' })
    expect(viewOf(s, 100 + UNHEARD_MS)).toMatchObject({ stage: 'unheard' })
    expect(viewOf(hear(s, kiosk({ calls: [call({ state: 'ringing' })] }), 5_000), 5_000)).toMatchObject({ stage: 'ringing' })
  })

  it('says so at once where there is no connection', () => {
    expect(viewOf(hear(ready(), kiosk({ calls: [call({ cut: true })] }), 100), 100)).toMatchObject({ stage: 'unheard' })
  })

  it('stays when the agent has forgotten that it was missed, and then goes', () => {
    let s = hear(ready(), kiosk({ calls: [call()] }), 0)
    s = hear(s, kiosk({ calls: [call({ state: 'missed' })] }), 60_000)
    s = hear(s, kiosk(), 70_000)
    expect(viewOf(s, 70_000)).toMatchObject({ stage: 'missed' })
    expect(viewOf(pass(s, 60_000 + MISSED_MS), 60_000 + MISSED_MS).name).toBe('idle')
  })

  it('gives the screen free while a guard is on the way', () => {
    const s = hear(ready(), kiosk({ calls: [call({ state: 'coming' })] }), 0)
    expect(viewOf(see(s, scan(), 1_000), 1_000).name).toBe('verdict')
    expect(viewOf(pass(s, COMING_MS), COMING_MS).name).toBe('idle')
  })
})
