import { describe, expect, it } from 'vitest'
import { takeCode } from './code'

class Memory {
  readonly items = new Map<string, string>()
  getItem = (name: string): string | null => this.items.get(name) ?? null
  setItem = (name: string, value: string): void => void this.items.set(name, value)
}

const page = (pathname: string, store = new Memory()) => {
  const shown: string[] = []
  const code = takeCode(
    { pathname } as Location,
    { replaceState: (_: unknown, __: string, to: string) => void shown.push(to) } as unknown as History,
    store as unknown as Storage,
  )
  return { code, shown, store }
}

describe('the code of the page', () => {
  it('CQ-081 is taken from the address and leaves it', () => {
    const p = page('/V/QFXHG4A234567')
    expect(p.code).toBe('QFXHG4A234567')
    expect(p.shown).toEqual(['/V/'])
  })

  it('is still there after signing in', () => {
    const first = page('/V/QFXHG4A234567')
    const back = page('/V/', first.store)
    expect(back.code).toBe('QFXHG4A234567')
    expect(back.shown).toEqual([])
  })

  it('is empty where nothing was scanned', () => {
    expect(page('/V/').code).toBe('')
    expect(page('/V').code).toBe('')
  })
})
