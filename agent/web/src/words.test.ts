import { describe, expect, it } from 'vitest'
import { age, ems, mask, moment, validity } from './format'
import { lang, switchLanguage, t, tryWord } from './i18n'
import { lengthOf, sounds } from './sound'

const at = Date.parse('2026-11-21T08:30:15+08:00')
const seconds = (iso: string): number => Date.parse(iso) / 1000

describe('times', () => {
  it('are those of the campus, wherever the computer thinks it is', () => {
    expect(moment(at, 'zh', at)).toBe('08:30:15')
    expect(moment(at, 'zh', at + 86_400_000)).toBe('11月21日 08:30')
    expect(moment(Date.parse('2026-11-21T00:00:05+08:00'), 'en', at)).toBe('00:00:05')
  })

  it('name the last day that counts', () => {
    const from = seconds('2026-11-21T00:00:00+08:00')
    expect(validity(from, seconds('2026-11-24T00:00:00+08:00'), 'zh', at)).toBe('11月21日 – 11月23日')
    expect(validity(from, seconds('2026-11-22T00:00:00+08:00'), 'zh', at)).toBe('11月21日')
    expect(validity(from, seconds('2026-11-22T18:00:00+08:00'), 'en', at)).toBe('21 Nov – 22 Nov 18:00')
    expect(validity(undefined, seconds('2027-01-01T00:00:00+08:00'), 'zh', at)).toBe('12月31日')
    expect(validity(from, seconds('2027-07-01T00:00:00+08:00'), 'zh', at)).toBe('11月21日 – 2027年6月30日')
    expect(validity(undefined, undefined, 'zh', at)).toBe('')
  })

  it('say ages in one unit', () => {
    expect([0, 59_999, 60_000, 3_599_000, 7_200_000, 172_800_000].map((ms) => age(ms, 'zh'))).toEqual([
      '0 秒', '59 秒', '1 分钟', '59 分钟', '2 小时', '2 天',
    ])
    expect(age(-5, 'en')).toBe('0 s')
  })
})

describe('names', () => {
  it('are masked by whole characters', () => {
    expect([mask('欧阳明月'), mask('𠮷田'), mask('Ann'), mask('')]).toEqual(['欧＊', '𠮷＊', 'A＊', ''])
  })

  it('are measured by what their script takes', () => {
    expect(ems('欧阳明月')).toBe(4)
    expect(ems('')).toBe(1)
    expect(ems('ab')).toBeLessThan(2)
  })
})

describe('words', () => {
  it('come in both languages and take values', () => {
    expect(lang.value).toBe('zh')
    expect(t('ago', { age: '3 分钟' })).toBe('3 分钟前')
    switchLanguage()
    expect(t('ago', { age: '3 min' })).toBe('3 min ago')
    expect(tryWord('kind_spaceship', 'spaceship')).toBe('spaceship')
    switchLanguage()
    expect(tryWord('kind_work', '')).toBe('工作通行码')
  })
})

describe('sounds', () => {
  it('are four, differ, and a refusal is the longest', () => {
    const all = Object.keys(sounds) as (keyof typeof sounds)[]
    expect(all).toHaveLength(4)
    expect(new Set(all.map((c) => JSON.stringify(sounds[c]))).size).toBe(4)
    for (const c of all.filter((x) => x !== 'denied')) expect(lengthOf(c)).toBeLessThan(lengthOf('denied'))
    expect(lengthOf('denied')).toBeGreaterThan(1)
  })

  it('differ in more than pitch: in number, wave or rhythm', () => {
    const shapes = Object.values(sounds).map((notes) => notes.map((x) => x.wave).join())
    expect(new Set(shapes).size).toBe(4)
  })
})
