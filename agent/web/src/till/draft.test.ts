import { describe, expect, it } from 'vitest'
import { empty, expression, isEmpty, linesOf, pointed, press, runningTotal, saleOf, totalOf, withLine, type Did, type Draft, type PadKey, type Prices } from './draft'

const amount: Prices = { entry: 'amount', each: 0, menu: [] }
const fixed: Prices = { entry: 'fixed', each: 800, menu: [] }
const menu: Prices = {
  entry: 'menu', each: 0,
  menu: [
    { key: 1, name: '米饭', name_en: 'Rice', price_fen: 100 },
    { key: 12, name: '红烧肉', price_fen: 1250 },
    { key: 99, name: '套餐', price_fen: 500_000 },
  ],
}

/** Presses keys, E for Enter, and gives the draft with what each key did. */
function keys(text: string, p: Prices, from = empty): { draft: Draft; did: Did[] } {
  const did: Did[] = []
  let draft = from
  for (const c of text) {
    const r = press(draft, (c === 'E' ? 'Enter' : c) as PadKey, p)
    draft = r.draft
    did.push(r.did)
  }
  return { draft, did }
}
const arms = (text: string, p: Prices): number | null => {
  const { draft, did } = keys(text, p)
  return did.at(-1) === 'arm' ? totalOf(draft.lines) : null
}

describe('an amount', () => {
  it('is armed by Enter', () => {
    expect(arms('12.5E', amount)).toBe(1250)
    expect(arms('8E', amount)).toBe(800)
    expect(arms('.5E', amount)).toBe(50)
  })

  it('adds up with +', () => {
    expect(arms('8.5+3+.5E', amount)).toBe(1200)
    expect(arms('8.5+E', amount)).toBe(850)
  })

  it('is multiplied in either order, by whole numbers only', () => {
    expect(arms('3*8.5E', amount)).toBe(2550)
    expect(arms('8.5*3E', amount)).toBe(2550)
    expect(arms('2*3+1E', amount)).toBe(700)
    expect(arms('1.5*1.5E', amount)).toBeNull()
    expect(arms('0*5E', amount)).toBeNull()
    expect(arms('3*E', amount)).toBeNull()
  })

  it('of nothing is none', () => {
    expect(keys('E', amount).did).toEqual(['wrong'])
    expect(keys('0E', amount).did).toEqual(['typed', 'wrong'])
    expect(keys('+', amount).did).toEqual(['wrong'])
    expect(keys('*', amount).did).toEqual(['wrong'])
    expect(keys('.*', amount).did).toEqual(['typed', 'wrong'])
    expect(keys('1**', amount).did.at(-1)).toBe('wrong')
  })

  it('stays within what a till takes', () => {
    expect(arms('9999.99E', amount)).toBe(999_999)
    expect(arms('9999.99+.01E', amount)).toBeNull()
    expect(arms('99*9999E', amount)).toBeNull()
  })

  it('keeps what was right when a key was wrong', () => {
    const { draft, did } = keys('12.345', amount)
    expect(did.slice(-1)).toEqual(['wrong'])
    expect(draft.typed).toBe('12.34')
  })
})

describe('-', () => {
  it('clears what is typed, then takes back the last position', () => {
    const { draft, did } = keys('5+3*7', amount)
    expect(did.every((d) => d === 'typed')).toBe(true)
    const cleared = press(draft, '-', amount)
    expect(cleared).toMatchObject({ did: 'cleared', draft: { typed: '', times: null, lines: [{ fen: 500 }] } })
    const taken = press(cleared.draft, '-', amount)
    expect(isEmpty(taken.draft)).toBe(true)
    expect(press(taken.draft, '-', amount).did).toBe('nothing')
  })
})

describe('a fixed price', () => {
  it('needs no key, and takes a quantity', () => {
    expect(keys('E', fixed).did).toEqual(['nothing'])
    expect(arms('3*E', fixed)).toBe(2400)
    expect(saleOf(keys('3*E', fixed).draft.lines, false)).toEqual({ entry: 'amount', amount_fen: 2400 })
  })

  it('gives way to an amount', () => expect(arms('6.5E', fixed)).toBe(650))
})

describe('the menu', () => {
  it('adds keys with quantities', () => {
    const { draft, did } = keys('2*12+1E', menu)
    expect(did.at(-1)).toBe('arm')
    expect(totalOf(draft.lines)).toBe(2600)
    expect(saleOf(draft.lines, true)).toEqual({
      entry: 'menu', items: [{ key: 12, quantity: 2 }, { key: 1, quantity: 1 }], sticky: true,
    })
  })

  it('makes one position of the same key', () => {
    const { draft } = keys('1+1+3*1+', menu)
    expect(draft.lines).toEqual([{ quantity: 5, fen: 100, key: 1, name: '米饭', name_en: 'Rice' }])
  })

  it('knows only its keys', () => {
    expect(keys('7E', menu).did).toEqual(['typed', 'wrong'])
    expect(keys('.', menu).did).toEqual(['wrong'])
    expect(keys('0', menu).did).toEqual(['wrong'])
    expect(keys('123', menu).did).toEqual(['typed', 'typed', 'wrong'])
    expect(arms('3*99E', menu)).toBeNull() // more than a till takes
  })

  it('shows what a number points at', () => {
    const { draft } = keys('2*12', menu)
    expect(pointed(draft, menu)?.name).toBe('红烧肉')
    expect(runningTotal(draft, menu)).toBe(2500)
    expect(expression(draft)).toBe('2 × 12')
    expect(pointed(keys('7', menu).draft, menu)).toBeNull()
  })

  it('is bounded', () => {
    const full: Draft = { ...empty, lines: Array.from({ length: 40 }, () => ({ quantity: 1, fen: 1 })) }
    expect(withLine(full, { quantity: 1, fen: 1 })).toBeNull()
    expect(withLine(keys('99*1+', menu).draft, { quantity: 1, fen: 100, key: 1 })).toBeNull()
  })
})

describe('a sale of the agent', () => {
  it('comes back as positions', () => {
    expect(linesOf({ amount_fen: 1250 })).toEqual([{ quantity: 1, fen: 1250 }])
    expect(linesOf({ amount_fen: 200, items: [{ key: 1, name: '米饭', price_fen: 100, quantity: 2 }] })).toEqual([
      { quantity: 2, fen: 100, key: 1, name: '米饭' },
    ])
  })
})
