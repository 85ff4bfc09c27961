import { describe, expect, it } from 'vitest'
import { extended, fenOf, price, quantityOf, yuan } from './money'

describe('amounts', () => {
  it('are whole fen, whatever was typed', () => {
    const typed = ['12.5', '12.50', '12', '.5', '0.05', '0.29', '1.15', '9999.99', '8.', '0']
    expect(typed.map(fenOf)).toEqual([1250, 1250, 1200, 50, 5, 29, 115, 999_999, 800, 0])
  })

  it('that are none are none', () => {
    expect(['', '.', '1.234', '12345', '1e3', '-1', '１２', ' 1', '1,5', 'NaN'].map(fenOf)).toEqual(Array(10).fill(null))
  })

  it('agree with whole numbers for every fen there is to pay', () => {
    for (let fen = 0; fen <= 999_999; fen += 7) {
      const text = `${(fen - (fen % 100)) / 100}.${String(fen % 100).padStart(2, '0')}`
      if (fenOf(text) !== fen) expect.fail(`${text}: ${fenOf(text)}, want ${fen}`)
    }
  })

  it('read as yuan', () => {
    expect([0, 5, 1250, 999_999, 123_456_789].map(yuan)).toEqual(['0.00', '0.05', '12.50', '9,999.99', '1,234,567.89'])
    expect([1250, -1250].map(price)).toEqual(['¥12.50', '−¥12.50'])
  })
})

describe('typing', () => {
  const type = (keys: string): string | null => [...keys].reduce<string | null>((s, k) => (s === null ? null : extended(s, k)), '')

  it('takes what can become an amount, and nothing else', () => {
    expect(['12.5', '007', '0.5', '.05', '9999.99', '1.2.', '1.234', '12345'].map(type)).toEqual([
      '12.5', '7', '0.5', '.05', '9999.99', null, null, null,
    ])
  })

  it('knows quantities', () => {
    expect(['1', '99', '0', '100', '1.5', '', '03'].map(quantityOf)).toEqual([1, 99, null, null, null, null, null])
  })
})
