import { describe, expect, it } from 'vitest'
import { lang } from '@shared/lang'
import { amountOf } from './amount'
import { freshId, short, signed } from './card'
import { monthsBack } from './months'
import { inWeChat, wayOf } from './way'

describe('an amount that is typed', () => {
  it('CM-088 is whole fen, without floating point', () => {
    // 0.29 * 100 and 1.15 * 100 are no whole numbers in floating point.
    for (const [typed, fen] of [['30', 3000], ['0.29', 29], ['1.15', 115], ['8.5', 850], ['1,000', 100_000], [' ¥ 20 ', 2000], ['999999999.99', 99_999_999_999]] as const) {
      expect(amountOf(typed, 1, 0), typed).toEqual({ fen, wrong: '' })
    }
  })
  it('is refused when it is none', () => {
    lang.value = 'zh'
    for (const typed of ['', '-5', '-0.01', '1.234', '1e3', '=1+1', '@SUM(1)', '三十', '٣٠', '30\u202e', '.5', '0x10', '9'.repeat(10_000), 'NaN', "1'--", '<b>1</b>']) {
      expect(amountOf(typed, 1, 0), typed).toMatchObject({ fen: null, wrong: '请输入金额，最多两位小数' })
    }
  })
  it('CM-075 stays between the least and the most', () => {
    lang.value = 'zh'
    expect(amountOf('0.99', 100, 50_000).wrong).toBe('不能少于 1 元')
    expect(amountOf('1', 100, 50_000).fen).toBe(100)
    expect(amountOf('500', 100, 50_000).fen).toBe(50_000)
    expect(amountOf('500.01', 100, 50_000).wrong).toBe('不能超过 500 元')
    expect(amountOf('0', 1, 50_000).fen).toBeNull()
  })
  it('CM-077 is shown with its sign', () => {
    expect([5000, -1250, 0, -5].map(signed)).toEqual(['+50.00', '-12.50', '0.00', '-0.05'])
    expect([3000, 3050, 123_456_700].map(short)).toEqual(['30', '30.50', '1,234,567'])
  })
})

describe('around an order', () => {
  it('every id is another one', () => {
    const ids = Array.from({ length: 100 }, freshId)
    expect(new Set(ids).size).toBe(100)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/)
  })
  it('CM-089 a channel is used in the way that suits the browser', () => {
    const wechat = { id: 'wechat', name: { zh: '', en: '' }, ways: ['jsapi', 'native', 'wap'] }
    const alipay = { id: 'alipay', name: { zh: '', en: '' }, ways: ['page', 'wap'] }
    expect(wayOf(wechat, { wechat: true, openid: 'o1' })).toBe('jsapi')
    expect(wayOf(wechat, { wechat: true, openid: '' })).toBe('native')
    expect(wayOf(wechat, { wechat: false, openid: 'o1' })).toBe('wap')
    expect(wayOf(alipay, { wechat: false, openid: '' })).toBe('wap')
    expect(wayOf({ ...alipay, ways: ['page'] }, { wechat: false, openid: '' })).toBe('page')
    expect(wayOf({ ...alipay, ways: ['later'] }, { wechat: false, openid: '' })).toBe('')
    expect(inWeChat('Mozilla/5.0 (Linux; Android 14) MicroMessenger/8.0.50')).toBe(true)
    expect(inWeChat('Mozilla/5.0 (Linux; Android 14) Chrome/130.0')).toBe(false)
  })
  it('CM-083 months go back over the years', () => {
    expect(monthsBack('2026-02', 4)).toEqual(['2026-02', '2026-01', '2025-12', '2025-11'])
  })
})
