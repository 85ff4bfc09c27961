import { describe, expect, it, vi } from 'vitest'

const fresh = async () => {
  vi.resetModules()
  return import('./clock')
}
const now = 1_800_000_000_000

describe('the server’s clock', () => {
  it('is taken from answers, and small differences are not', async () => {
    const clock = await fresh()
    expect(clock.offset(now)).toBe(0)
    clock.noteAnswer(now + 60_000, now - 100, now + 100)
    expect(clock.offset(now + 1000)).toBe(60_500)
    const other = await fresh()
    other.noteAnswer(now + 1000, now - 100, now + 100)
    expect(other.offset(now + 1000)).toBe(0)
  })
  it('a slow answer does not spoil a quick one', async () => {
    const clock = await fresh()
    clock.noteAnswer(now + 60_000, now - 50, now + 50)
    clock.noteAnswer(now + 62_000, now - 1000, now + 3000)
    expect(clock.offset(now + 4000)).toBe(60_500)
    clock.noteAnswer(now, now - 6000, now + 6000) // says too little
    expect(clock.offset(now + 7000)).toBe(60_500)
  })
  it('a phone that was put right counts at once', async () => {
    const clock = await fresh()
    clock.noteAnswer(now + 60_000, now - 50, now + 50)
    clock.noteAnswer(now + 10_000, now + 9_900, now + 10_100)
    expect(clock.offset(now + 11_000)).toBe(0)
  })
  it('is not believed for ever, nor after the phone was set back', async () => {
    const clock = await fresh()
    clock.noteAnswer(now + 60_000, now - 50, now + 50)
    expect(clock.offset(now + 8 * 86_400_000)).toBe(0)
    expect(clock.offset(now - 3_600_000)).toBe(0)
  })
})
