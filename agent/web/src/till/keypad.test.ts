import { describe, expect, it } from 'vitest'
import type { Key } from '../wedge'
import { Keypad, padKeyOf, type Stroke } from './keypad'

const pads: Record<string, string> = { '+': 'NumpadAdd', '-': 'NumpadSubtract', '*': 'NumpadMultiply', '/': 'NumpadDivide', '.': 'NumpadDecimal' }

/** The keys of a text, `gap` ms apart; \n is Enter. */
function keys(text: string, gap: number, from = 1000): Key[] {
  return [...text].map((c, i) => ({
    key: c === '\n' ? 'Enter' : c,
    code: c === '\n' ? 'NumpadEnter' : pads[c] ?? (/\d/.test(c) ? `Numpad${c}` : /[A-Z]/.test(c) ? `Key${c}` : ''),
    shift: /[A-Z:$%]/.test(c), at: from + i * gap,
  }))
}

function run(list: Key[], keypad = new Keypad()): { pressed: string; scans: string[]; garbled: number } {
  const out = { pressed: '', scans: [] as string[], garbled: 0 }
  const take = (s: Stroke): void => {
    out.pressed += s.pressed.map((k) => (k === 'Enter' ? 'E' : k)).join('')
    if (s.scan) out.scans.push(s.scan)
    if (s.garbled) out.garbled++
  }
  for (const k of list) take(keypad.feed(k, padKeyOf({ key: k.key, code: k.code, shiftKey: k.shift })))
  out.pressed += keypad.rest().join('')
  return out
}

const live = 'CP1:6BFOXN*TS0BI$ZD4N/8+:K1-44.2'

describe('a scanner beside a keypad', () => {
  it('types a code that leaves no key behind', () => {
    expect(run(keys(live + '\n', 4))).toEqual({ pressed: '', scans: [live], garbled: 0 })
  })

  it('types a barcode of digits that is no amount', () => {
    expect(run(keys('6901234567892\n', 4))).toEqual({ pressed: '', scans: ['6901234567892'], garbled: 0 })
    expect(run(keys('6901234567892\n', 45))).toEqual({ pressed: '', scans: ['6901234567892'], garbled: 0 })
  })

  it('types something short that is no amount either', () => {
    for (const text of ['123\n', '1234567\n', 'CP1\n', 'A1\n']) expect(run(keys(text, 4))).toEqual({ pressed: '', scans: [], garbled: 1 })
  })

  it('may come right after a key, which counts', () => {
    const keypad = new Keypad()
    expect(run([...keys('5', 1), ...keys(live + '\n', 4, 1400)], keypad)).toEqual({ pressed: '5', scans: [live], garbled: 0 })
  })

  it('without Enter is a scan all the same, and its keys are none', () => {
    const keypad = new Keypad()
    expect(run(keys(live, 4), keypad).pressed).toBe('')
    expect(keypad.expire()).toMatchObject({ scan: live, pressed: [] })
  })
})

describe('a person at the keypad', () => {
  for (const gap of [60, 90, 250]) {
    it(`types an amount with a key every ${gap} ms`, () => {
      expect(run(keys('12.5+3*8\n', gap))).toEqual({ pressed: '12.5+3*8E', scans: [], garbled: 0 })
    })
  }

  it('has a key for 00, and one for 000', () => {
    const list = [...keys('5', 1), ...keys('00', 3, 1200), ...keys('\n', 1, 1500)]
    expect(run(list).pressed).toBe('500E')
    expect(run([...keys('000', 3), ...keys('\n', 1, 1500)]).pressed).toBe('000E')
  })

  it('may roll over two keys', () => {
    expect(run([...keys('12', 20), ...keys('5', 1, 1200), ...keys('\n', 1, 1400)]).pressed).toBe('125E')
  })

  it('sees a key as soon as the next one makes it certain', () => {
    const keypad = new Keypad()
    const [one, two] = keys('12', 80)
    expect(keypad.feed(one!, '1').pressed).toEqual([])
    expect(keypad.feed(two!, '2').pressed).toEqual(['1'])
    expect(keypad.rest()).toEqual(['2'])
    expect(keypad.busy).toBe(false)
  })
})

describe('keys', () => {
  const of = (code: string, key: string, shiftKey = false): string | null => padKeyOf({ key, code, shiftKey })

  it('are known by their places, Num Lock or not', () => {
    expect(of('Numpad1', 'End')).toBe('1')
    expect(of('Digit1', '1')).toBe('1')
    expect(of('Digit1', 'Process')).toBe('1') // an input method has it
    expect(of('NumpadDecimal', 'Delete')).toBe('.')
    expect(of('NumpadDecimal', ',')).toBe('.')
  })

  it('of the main keyboard do as well', () => {
    expect([of('Digit8', '*', true), of('Equal', '+', true), of('Minus', '-'), of('Slash', '/'), of('Escape', 'Escape'), of('Backspace', 'Backspace')]).toEqual([
      '*', '+', '-', '/', '-', '-',
    ])
  })

  it('of no keypad are none', () => {
    expect([of('KeyA', 'a'), of('F5', 'F5'), of('Digit1', '!', true), of('Space', ' '), of('Tab', 'Tab')]).toEqual([null, null, null, null, null])
  })
})
