import { describe, expect, it } from 'vitest'
import { deskOf, hoursOf, hoursText, servesKey } from './desks'
import { faultsIn } from './guideline'

describe('hours of a desk', () => {
  it('are read as people write them and shown again', () => {
    const hours = hoursOf('9:00-11:30\n15:00 至 17:30')
    expect(hours).toEqual([{ from: '09:00', to: '11:30' }, { from: '15:00', to: '17:30' }])
    expect(hoursText({ hours })).toBe('09:00-11:30\n15:00-17:30')
    expect(hoursOf('  ')).toEqual([])
  })
  it('are refused where they are none, or turned round', () => {
    for (const text of ['上午', '11:30-09:00', '25:00-26:00', '09:00-24:30', '=1+1', '09:00']) expect(hoursOf(text), text).toBeNull()
  })
})

it('a desk keeps whom it serves, campus by campus', () => {
  const desk = deskOf({ name: '社区办', unit: '', serves: ['residents', 'retired@B'], documents: ['id_card'] }, [], 'community')
  expect(desk).toEqual({ id: 'community', name: '社区办', en: '', unit: '', serves: [{ who: 'residents' }, { who: 'retired', campus: 'B' }], hours: [], documents: ['id_card'] })
  expect(desk.serves?.map(servesKey)).toEqual(['residents', 'retired@B'])
})

it('a fault of the guideline is found by its line', () => {
  const of = (details: Record<string, unknown>) => faultsIn({ details })
  expect(of({ what: 'invalid configuration: documents.yaml:7: rules[0].passes: missing: say so' })).toEqual([{ line: 7, key: 'rules[0].passes', message: 'missing: say so' }])
  expect(of({ faults: [{ line: 3, key: 'a', message: 'b' }] })).toEqual([{ line: 3, key: 'a', message: 'b' }])
  expect(of({ what: 'too long' })).toEqual([])
})
