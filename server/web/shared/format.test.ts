import { afterEach, describe, expect, it } from 'vitest'
import { ago, clock, day, dayAfter, dayName, daysOf, fen, mask, maskMail, maskPhone, millis, size, stamp, yuan } from './format'
import { half, lang } from './lang'

afterEach(() => (lang.value = 'zh'))

describe('times', () => {
  const at = Date.UTC(2026, 3, 30, 16, 5) // 2026-05-01 00:05 on the campus

  it('are campus time whatever the device says', () => {
    expect([day(at), clock(at), stamp(at)]).toEqual(['2026-05-01', '00:05', '2026-05-01 00:05'])
  })
  it('are read from every form the server writes', () => {
    expect(millis('2026-05-01')).toBe(Date.UTC(2026, 3, 30, 16))
    expect(millis('2026-05-01 08:00:00')).toBe(Date.UTC(2026, 4, 1))
    expect(millis('2026-05-01T00:05:00+08:00')).toBe(at)
    expect(day('not a day')).toBe('')
  })
  it('CQ-057 the last day of a pass is the one before its end', () => {
    expect(daysOf('2026-05-01T00:00:00+08:00', '2026-05-02T00:00:00+08:00')).toEqual({ first: '2026-05-01', last: '2026-05-01' })
    expect(dayAfter('2026-02-27', 2)).toBe('2026-03-01')
  })
  it('are said as people say them', () => {
    expect(dayName('2026-05-01')).toBe('5月1日周五')
    expect(ago(at, at + 3 * 86_400_000)).toBe('3 天前')
    expect(ago(at, at + 5000)).toBe('刚刚')
    expect(ago(at, at + 40 * 86_400_000)).toBe('2026-05-01')
    lang.value = 'en'
    expect(ago(at, at + 3_600_000)).toBe('1 hour ago')
    expect(dayName('2026-05-01')).toMatch(/Fri.*1 May/)
  })
})

describe('money', () => {
  it('is whole fen, without floating point', () => {
    expect(fen('1,234.5')).toBe(123450)
    expect(fen('0.29')).toBe(29)
    expect(fen('-3')).toBe(-300)
    for (const wrong of ['', '1.234', '=1+1', '1e3', '九', '.5']) expect(fen(wrong)).toBeNull()
    expect([yuan(123450), yuan(5), yuan(-29), yuan(100000000)]).toEqual(['1,234.50', '0.05', '-0.29', '1,000,000.00'])
  })
})

describe('masks', () => {
  it('CM-053 show two digits at either end, and never unmask', () => {
    expect(maskPhone('13800131234')).toBe('13*******34')
    expect(maskPhone('138****1234')).toBe('138****1234')
    expect(maskMail('lin.xl@example.edu')).toBe('li****@example.edu')
    expect(mask('林', 2, 2)).toBe('林')
  })
  it('sizes', () => expect([size(10), size(2048), size(1.4 * 1024 * 1024)]).toEqual(['10 B', '2 KB', '1.4 MB']))
})

describe('half', () => {
  it('takes the sentence of the language shown', () => {
    const both = '按户每2天只能申请1个通行二维码 One code per household every 2 days.'
    expect(half(both)).toBe('按户每2天只能申请1个通行二维码')
    lang.value = 'en'
    expect(half(both)).toBe('One code per household every 2 days.')
    expect(half('服务器未就绪 the server is not ready')).toBe('the server is not ready')
    expect(half('通行证 2026-05-01 已过期 the pass of 2026-05-01 is out of date')).toBe('the pass of 2026-05-01 is out of date')
  })
  it('leaves alone what it cannot tell apart', () => {
    for (const one of ['只有中文', 'English only', '']) expect(half(one)).toBe(one)
  })
})
