import type { MyPass } from '@shared/types'
import { describe, expect, it } from 'vitest'
import { inOrder, passState, usable } from './passes'

const pass = (id: string, from: string, until: string, state: MyPass['state'] = 'issued') => ({ id, from, until, state }) as MyPass
const at = Date.parse('2026-05-02T08:00:00+08:00')
const day = (n: number) => `2026-05-${String(n).padStart(2, '0')}T00:00:00+08:00`

describe('a pass', () => {
  it('CQ-057 is of use on its day only, by the clock and not by what was kept', () => {
    const p = pass('a', day(2), day(3))
    expect(passState(p, at)).toBe('issued')
    expect(passState(p, Date.parse(day(2)) - 1)).toBe('early')
    expect(passState(p, Date.parse(day(3)))).toBe('expired')
  })
  it('that was used or revoked stays so', () => {
    expect(passState(pass('a', day(2), day(3), 'used'), at)).toBe('used')
    expect(usable(pass('a', day(1), day(9), 'revoked'), at)).toBe(false)
  })
  it('comes before those of later days, and those that are over come last', () => {
    const list = [pass('over', day(1), day(2)), pass('later', day(5), day(6)), pass('now', day(1), day(9)), pass('used', day(2), day(3), 'used')]
    expect(inOrder(list, at).map((p) => p.id)).toEqual(['now', 'later', 'used', 'over'])
  })
})
