import { describe, expect, it } from 'vitest'
import { clockOf, draftOf, hoursOf, minuteOf, spansOf, type Hours } from './lanes'

describe('opening hours as they are typed', () => {
  it('read times of the clock and nothing else', () => {
    expect(['06:30', '6:30', '24:00', '0：05'].map(minuteOf)).toEqual([390, 390, 1440, 5])
    expect(['24:01', '12:60', 'x', '', '1230'].map(minuteOf)).toEqual([null, null, null, null, null])
    expect(clockOf(5)).toBe('00:05')
  })

  it('read windows, also past midnight', () => {
    expect(spansOf('06:30-11:00, 22:00-02:00')).toEqual([{ from: 390, until: 660 }, { from: 1320, until: 120 }])
    expect(spansOf(' ')).toEqual([])
    expect(['8', '08:00', '08:00-08:00', '24:00-08:00', '1:00-2:00-3:00', '=1+1'].map(spansOf)).toEqual([null, null, null, null, null, null])
  })

  it('come back as they went', () => {
    const hours: Hours = {
      kinds: ['visitor', 'work'],
      week: [{ day: 1, from: 0, until: 1440 }, { day: 7, from: 1320, until: 120 }],
      dates: [{ from: '2026-10-01', until: '2026-10-07', spans: [] }, { from: '2026-10-08', until: '2026-10-08', spans: [{ from: 540, until: 720 }] }],
    }
    expect(hoursOf(draftOf(hours))).toEqual({ hours, faults: [] })
  })

  it('say which line is wrong', () => {
    const draft = { kinds: [], week: ['', 'x', '', '', '', '', ''], dates: '10/1' }
    expect(hoursOf(draft).faults).toEqual(['week.1', 'dates', 'kinds'])
  })
})
