import { describe, expect, it } from 'vitest'
import { GAP_MS, HOLD_AT, restore, STALL_MS, SURE_AT, usCharacter, Wedge, type Key } from './wedge'

const live = 'CP1:6BFOXN*TS0BI$ZD4N/8+:K1'

/** The keys of a text on a US keyboard, `gap` ms apart. */
function keys(text: string, gap: number, from = 1000): Key[] {
  return [...text].map((c, i) => ({ key: c === '\n' ? 'Enter' : c === '\t' ? 'Tab' : c, ...place(c), at: from + i * gap }))
}

const places: [string, string][] = [
  ...[...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'].map((c): [string, string] => [c, `Key${c}`]),
  ...[...'0123456789'].map((c): [string, string] => [c, `Digit${c}`]),
]
const symbols: Record<string, { code: string; shift: boolean }> = {
  ':': { code: 'Semicolon', shift: true }, '$': { code: 'Digit4', shift: true }, '%': { code: 'Digit5', shift: true },
  '*': { code: 'Digit8', shift: true }, '+': { code: 'Equal', shift: true }, '-': { code: 'Minus', shift: false },
  '.': { code: 'Period', shift: false }, '/': { code: 'Slash', shift: false }, ' ': { code: 'Space', shift: false },
}

function place(c: string): { code: string; shift: boolean } {
  const simple = places.find(([x]) => x === c.toUpperCase())
  if (simple) return { code: simple[1], shift: /[A-Z]/.test(c) }
  return symbols[c] ?? { code: c === '\n' ? 'Enter' : c === '\t' ? 'Tab' : '', shift: false }
}

/** What comes of a row of keys: the scans, what reached the page, what was typed late. */
function run(list: Key[], wedge = new Wedge()): { scans: string[]; passed: string; released: string; caught: number } {
  const out = { scans: [] as string[], passed: '', released: '', caught: 0 }
  for (const k of list) {
    const a = wedge.feed(k)
    if (!a.hold) out.passed += k.key
    if (a.scan !== undefined) out.scans.push(a.scan)
    if (a.caught) out.caught++
    out.released += a.release ?? ''
  }
  return out
}

describe('a scan', () => {
  for (const [name, end] of [['Enter', '\n'], ['Tab', '\t']] as const) {
    it(`ends with ${name} and keeps it from the page`, () => {
      const r = run(keys(live + end, 4))
      expect(r.scans).toEqual([live])
      expect(r.passed).toBe(live.slice(0, HOLD_AT - 1))
      expect(r.caught).toBe(1)
      expect(r.released).toBe('')
    })
  }

  it('is told by the slowest scanner, and after a stutter once it is sure', () => {
    expect(run(keys(live + '\n', GAP_MS)).scans).toEqual([live])
    const list = keys(live + '\n', 5)
    for (const k of list.slice(SURE_AT + 3)) k.at += STALL_MS - 10
    expect(run(list).scans).toEqual([live])
  })

  it('swallows a second Enter that comes at once, and no later one', () => {
    const wedge = new Wedge()
    const list = keys(live + '\n', 4)
    run(list, wedge)
    const end = list.at(-1)!
    expect(wedge.feed({ ...end, at: end.at + 4 }).hold).toBe(true)
    expect(wedge.feed({ ...end, at: end.at + STALL_MS }).hold).toBe(false)
  })

  it('is followed by another', () => {
    const wedge = new Wedge()
    expect(run(keys(live + '\n', 4), wedge).scans).toEqual([live])
    expect(run(keys(live + 'X\n', 4, 9000), wedge).scans).toEqual([live + 'X'])
  })

  it('without Enter is taken when it looks like a code of ours, and else dropped', () => {
    const code = new Wedge()
    run(keys(live, 4), code)
    expect(code.expire()).toEqual({ hold: true, scan: live })
    const other = new Wedge()
    run(keys('6901234567892', 4), other)
    expect(other.expire()).toEqual({ hold: true })
  })

  it('of a foreign barcode is handed on as it is', () => {
    expect(run(keys('6901234567892\n', 4)).scans).toEqual(['6901234567892'])
  })

  it('that never ends stays bounded', () => {
    const wedge = new Wedge()
    run(keys('A'.repeat(20_000), 1), wedge)
    const r = wedge.feed({ key: 'Enter', code: 'Enter', shift: false, at: 21_000 })
    expect(r.scan!.length).toBeLessThan(5_000)
  })
})

describe('a person', () => {
  it('types undisturbed', () => {
    const text = 'CP1:TYPED BY HAND'
    const r = run(keys(text + '\n', 140))
    expect(r).toEqual({ scans: [], passed: text + 'Enter', released: '', caught: 0 })
  })

  it('who rolls over some keys gets them back before the next', () => {
    const roll = keys('ABCDE', 20)
    const later = keys('F', 1, 5000)
    const r = run([...roll, ...later])
    expect(r.scans).toEqual([])
    expect(r.passed + '|' + r.released).toBe('ABF|CDE')
  })

  it('who presses Enter after a few fast keys gets them back too', () => {
    const r = run(keys('1234\n', 10))
    expect(r).toEqual({ scans: [], passed: '12Enter', released: '34', caught: 0 })
  })

  it('who stops gets held keys back when nothing more comes', () => {
    const wedge = new Wedge()
    run(keys('ABCD', 10), wedge)
    expect(wedge.holding).toBe(true)
    expect(wedge.expire()).toEqual({ hold: false, release: 'CD' })
    expect(wedge.holding).toBe(false)
  })

  it('moves about with other keys', () => {
    const wedge = new Wedge()
    for (const key of ['Shift', 'ArrowLeft', 'Escape', 'F5', 'Backspace']) {
      expect(wedge.feed({ key, code: key, shift: false, at: 1 })).toEqual({ hold: false })
    }
  })
})

describe('restore', () => {
  const url = 'HTTPS://GATE.EXAMPLE/V/MFRGGZDFMZTWQ2LK'

  it('undoes Caps Lock', () => expect(restore(live.toLowerCase(), live)).toBe(live))
  it('undoes full-width letters', () => expect(restore('ＣＰ１：６ＢＦ', '')).toBe('CP1:6BF'))
  it('keeps a good reading of the layout', () => expect(restore(url, 'something else')).toBe(url))
  it('falls back to the places of the keys', () => {
    // A German layout turns : into Ö and / into -.
    expect(restore('HTTPSÖ--GATE.EXAMPLE-V-MFRGGYDFMYTWQ2LK', url)).toBe(url)
  })
  it('works where the input method hides every key', () => expect(restore('', url)).toBe(url))
  it('leaves other texts alone', () => expect(restore('Abc-1', 'ABC-1')).toBe('Abc-1'))

  it('knows every character of a code on a US keyboard', () => {
    for (const c of '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:') {
      const { code, shift } = place(c)
      expect(usCharacter(code, shift)).toBe(c)
    }
    expect(usCharacter('Numpad7', false)).toBe('7')
    expect(usCharacter('F5', false)).toBe('')
  })
})
