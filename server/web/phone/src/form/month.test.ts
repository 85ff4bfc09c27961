import { describe, expect, it } from 'vitest'
import { monthName, monthOf, otherMonth, weekdays } from './month'

describe('a month', () => {
  it('begins on its weekday and has all its days', () => {
    const may = monthOf('2026-05') // the first is a Friday
    expect(may.slice(0, 5)).toEqual(['', '', '', '', '2026-05-01'])
    expect(may.at(-1)).toBe('2026-05-31')
    expect(monthOf('2028-02').at(-1)).toBe('2028-02-29')
    expect(monthOf('2026-06')[0]).toBe('2026-06-01')
  })
  it('is followed across the year', () => {
    expect([otherMonth('2026-12', 1), otherMonth('2026-01', -1), otherMonth('2026-05', 1)]).toEqual(['2027-01', '2025-12', '2026-06'])
  })
  it('is named in both languages', () => {
    expect([monthName('2026-05', 'zh'), monthName('2026-05', 'en')]).toEqual(['2026年5月', 'May 2026'])
    expect([weekdays('zh')[0], weekdays('en')[6]]).toEqual(['一', 'Sun'])
  })
})
