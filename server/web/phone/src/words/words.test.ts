import { describe, expect, it } from 'vitest'
import apply from './apply'
import card from './card'
import common from './common'
import login from './login'
import matters from './matters'
import me from './me'
import passes from './passes'

const areas = { common, login, passes, apply, matters, me, card } as Record<string, Record<string, readonly [string, string]>>
const all = Object.values(areas).flatMap((area) => Object.entries(area))
const names = (s: string) => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()

describe('the words', () => {
  it('have both languages with the same values in them', () => {
    for (const [word, [zh, en]] of all) {
      expect(zh, word).toMatch(word === 'other_language' ? /English/ : /[\u3000-\u9fff]/)
      expect(en, word).not.toBe('')
      expect(names(en), word).toEqual(names(zh))
    }
  })
  it('are each defined once', () => {
    expect(new Set(all.map(([word]) => word)).size).toBe(all.length)
  })
  it('hold nothing that the messages read as their own signs', () => {
    for (const [word, both] of all) for (const said of both) expect(said.replace(/\{\w+\}/g, ''), word).not.toMatch(/[{}@|]/)
  })
})
