import { describe, expect, it } from 'vitest'
import '../../words'
import './words'
import { clockOf, draftOf, faultsOf, minutesOf, rulesOf, usualRules, type Draft, type Rules } from './rules'
import { moved, sumOf, type Charge } from './canteen'

const whole: Rules = {
  entry: 'menu', fixed_fen: 0, day_start: 240,
  menu: [{ key: 1, name: '米饭', name_en: 'Rice', price_fen: 50 }, { key: 12, name: '红烧肉', name_en: '', price_fen: 1250 }],
  periods: [{ id: 'breakfast', name: '早餐', name_en: 'Breakfast', from: 390, until: 540, price_fen: 0 }, { id: 'night', name: '夜宵', name_en: '', from: 1290, until: 60, price_fen: 0 }],
  pin_above_fen: 3000, per_tx_fen: 20000, per_meal_fen: 0, per_meal_tx: 3, per_day_fen: 50000,
  offline: { per_tx_fen: 3000, per_account_fen: 6000, max_records: 2000, max_age_ms: 30 * 60_000 },
}
const draft = (change: Partial<Draft> = {}): Draft => ({ ...draftOf(whole), ...change })
const faults = (change: Partial<Draft>) => Object.keys(faultsOf(draft(change)))
const period = (id: string, from: string, until: string) => ({ id, name: id, name_en: '', from, until, price: '' })

describe('the rules of a till', () => {
  it('come back from the editor as they went in', () => {
    expect(faultsOf(draft())).toEqual({})
    expect(rulesOf(draft())).toEqual(whole)
    expect(faultsOf(draftOf(usualRules))).toEqual({})
    expect(rulesOf(draftOf(usualRules)).offline).toEqual(usualRules.offline)
  })
  it('tell times to the minute, the end of the day too', () => {
    for (const n of [0, 1, 59, 60, 390, 1439, 1440]) expect(minutesOf(clockOf(n))).toBe(n)
    expect([minutesOf('6:30'), minutesOf('6:30')]).toEqual([390, 390])
    for (const typed of ['', '24:01', '25:00', '06:60', '0630', '06:3', 'aa:bb', '-1:00']) expect(minutesOf(typed), typed).toBeNull()
  })
  it('are refused where a price or an amount is none', () => {
    expect(faults({ entry: 'fixed', fixed: '' })).toEqual(['fixed'])
    expect(faults({ entry: 'fixed', fixed: '0' })).toEqual(['fixed'])
    expect(faults({ entry: 'fixed', fixed: '100000.01' })).toEqual(['fixed'])
    expect(faults({ entry: 'fixed', fixed: '12.50' })).toEqual([])
    expect(faults({ per_tx: '-1', per_day: '=1+1', off_per_tx: '1.234' })).toEqual(['per_tx', 'per_day', 'off_per_tx'])
    expect(faults({ per_meal_tx: '101', off_records: '1.5', off_minutes: '44641' })).toEqual(['per_meal_tx', 'off_records', 'off_minutes'])
  })
  it('need keys for a menu, each once, with a name and a price', () => {
    expect(faults({ menu: [] })).toEqual(['menu'])
    expect(faults({ menu: [{ key: '100', name: '', name_en: '', price: '' }] })).toEqual(['menu.0.key', 'menu.0.name', 'menu.0.price'])
    expect(faults({ menu: [{ key: '1', name: 'a', name_en: '', price: '1' }, { key: '01', name: 'b', name_en: '', price: '2' }] })).toEqual(['menu.1.key'])
  })
  it('need priced periods where the period is the price', () => {
    expect(faults({ entry: 'period', periods: [] })).toEqual(['periods'])
    expect(faults({ entry: 'period' })).toEqual(['periods.0.price', 'periods.1.price'])
  })
  it('have periods that do not overlap, in the order of the business day', () => {
    expect(faults({ periods: [period('b', '11:00', '13:00'), period('a', '06:00', '11:00')] })).toEqual([])
    expect(rulesOf(draft({ periods: [period('b', '11:00', '13:00'), period('a', '06:00', '11:00')] })).periods?.map((one) => one.id)).toEqual(['a', 'b'])
    expect(faults({ periods: [period('a', '06:00', '11:01'), period('b', '11:00', '13:00')] })).toEqual(['periods.1.from'])
    expect(faults({ periods: [period('a', '06:00', '11:00'), period('a', '12:00', '12:00')] })).toEqual(['periods.1.id', 'periods.1.until'])
    // The last one runs into the first one of the next day.
    expect(faults({ periods: [period('a', '06:00', '11:00'), period('n', '22:00', '06:30')] })).toEqual(['periods.1.until'])
    // After midnight it is still the day before: 02:00 comes last where days begin at 04:00.
    expect(rulesOf(draft({ periods: [period('n', '01:00', '03:00'), period('a', '06:00', '11:00')] })).periods?.map((one) => one.id)).toEqual(['a', 'n'])
    expect(faults({ day_start: '00:00', periods: [period('all', '00:00', '24:00')] })).toEqual([])
  })
})

describe('what tills took', () => {
  it('is less for a void', () => {
    expect(moved({ kind: 'charge', amount_fen: 1250 } as Charge)).toBe('12.50')
    expect(moved({ kind: 'void', amount_fen: 1250 } as Charge)).toBe('-12.50')
  })
  it('adds up, and has a mean of what was not voided', () => {
    const row = (key: string, charges: number, voids: number, taken: number, back: number) => ({ key, name: '', charges, voids, taken_fen: taken, back_fen: back, net_fen: taken - back })
    expect(sumOf([row('11', 10, 1, 12_000, 1_200), row('12', 2, 0, 2_200, 0)])).toEqual({ net: 13_000, charges: 12, voids: 1, back: 1_200, mean: 1182 })
    expect(sumOf([]).mean).toBe(0)
  })
})
