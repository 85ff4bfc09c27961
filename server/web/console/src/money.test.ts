import { describe, expect, it } from 'vitest'
import { fen, yuan } from '@shared/format'
import { setLang } from '@shared/lang'
import { difference, freshId, limit, signed } from './money'
import './words'

describe('money', () => {
  it('goes from fen to yuan and back without loss', () => {
    for (const n of [0, 1, 9, 10, 99, 100, 101, 1000, 12_345, 99_999, 100_000, 123_456_789, -1, -350, -123_456]) expect(fen(yuan(n)), String(n)).toBe(n)
    for (let n = -2_500; n < 2_500; n += 7) expect(fen(yuan(n))).toBe(n)
  })
  it.each([['3.5', 350], ['3.50', 350], ['¥ 1,234.56', 123_456], ['0.1', 10], ['0.29', 29], ['1.15', 115], ['-0', 0]])('reads %s', (typed, n) => expect(fen(typed)).toBe(n))
  it.each(['', '.', '3.', '.5', '1.234', '1e3', '=1+1', '0x10', '--1', '1-1', '三元', '1.1.1', '9'.repeat(14), 'NaN', '\u202e1'])('takes %s for no amount', (typed) => expect(fen(typed)).toBeNull())
  it('CM-077 shows a movement with its sign, and nothing without one', () => {
    expect([signed(2000), signed(-350), signed(0)]).toEqual(['+20.00', '-3.50', '0.00'])
  })
  it('says in words what counting came to', () => {
    setLang('zh')
    expect([difference(0), difference(150), difference(-5)]).toEqual(['相符', '长款 1.50', '短款 0.05'])
    expect([limit(0), limit(3000)]).toEqual(['不限', '30.00'])
  })
  it('makes ids that the interface takes, each another one', () => {
    const ids = Array.from({ length: 100 }, freshId)
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) expect(id).toMatch(/^[0-9A-Za-z-]{8,64}$/)
  })
})
