import { describe, expect, it } from 'vitest'
import { t } from '../../i18n'
import { whyOf } from './columns'
import { arrived, most, reasonName, reasons, second, tally, verdictOf, type SeenEvent } from './events'
import './words'

const event = (n: number, reason = 'granted'): SeenEvent => ({
  id: `2-1-${n}`, agent: 2, epoch: 1, seq: n, type: 'scan', at: n, received_at: n, offline: false, gate: 1, pass_id: '', reason, repeat: false, opinion: '',
})

describe('live events', () => {
  it('stand newest first, each once, and no more than so many', () => {
    const rows = arrived(arrived([], [event(1), event(2)]), [event(2), event(3)])
    expect(rows.map((one) => one.seq)).toEqual([3, 2, 1])
    const many = arrived(rows, Array.from({ length: 300 }, (_, at) => event(10 + at)))
    expect(many).toHaveLength(most)
    expect(many[0]?.seq).toBe(309)
  })
  it('are counted by what happened at the barrier', () => {
    expect(tally([event(1), event(2, 'expired'), event(3, 'attention'), event(4, 'annulled'), event(5, 'revoked')])).toEqual({ granted: 1, denied: 2, attention: 1, rest: 1 })
  })
  it('say which admissions nobody could confirm, and count them as something to look at', () => {
    const alone = { ...event(1), mark: 'unconfirmed' }
    expect(whyOf(alone)).toContain(t('event_mark_unconfirmed'))
    expect(whyOf({ ...event(1), mark: 'of_tomorrow' })).toBe(reasonName('granted'))
    expect(tally([event(2), alone])).toEqual({ granted: 1, denied: 0, attention: 1, rest: 0 })
  })
  it('have a word for every reason; an unknown one stays as it is and counts as refused', () => {
    for (const reason of reasons) expect(reasonName(reason), reason).not.toBe(reason)
    for (const reason of [...reasons, '']) expect(t('verdict_' + verdictOf(reason))).not.toContain('verdict_')
    expect(reasonName('new_reason')).toBe('new_reason')
    expect(verdictOf('new_reason')).toBe('denied')
  })
  it('tell campus time to the second', () => {
    expect(second(Date.parse('2026-05-01T08:05:09+08:00'))).toBe('2026-05-01 08:05:09')
  })
})
