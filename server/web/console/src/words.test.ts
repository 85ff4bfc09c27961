import { describe, expect, it } from 'vitest'
import { i18n } from './i18n'
import './words'

const areas = import.meta.glob('./pages/*/words.ts')
await Promise.all(Object.values(areas).map((read) => read()))

const raw = import.meta.glob<string>(['./words.ts', './pages/*/words.ts'], { query: '?raw', import: 'default', eager: true })

describe('the words of the console', () => {
  const { zh, en } = i18n.global.messages.value as Record<string, Record<string, string>>
  const names = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((found) => found[1]).sort()

  it('are there in both languages, with the same values in them', () => {
    expect(Object.keys(areas).length).toBeGreaterThan(10)
    expect(Object.keys(zh ?? {})).toEqual(Object.keys(en ?? {}))
    for (const [word, text] of Object.entries(zh ?? {})) {
      expect(en?.[word], word).toBeTruthy()
      expect(names(en?.[word] ?? ''), word).toEqual(names(text))
    }
  })
  it('are each defined once', () => {
    const all = Object.values(raw).flatMap((text) => [...text.matchAll(/^  (\w+): \[/gm)].map((found) => found[1] ?? ''))
    expect(all.filter((word, at) => all.indexOf(word) !== at)).toEqual([])
    expect(all.length).toBe(Object.keys(zh ?? {}).length)
  })
  it('hold nothing that the messages read as their own signs', () => {
    for (const [word, text] of [...Object.entries(zh ?? {}), ...Object.entries(en ?? {})]) expect(text.replace(/\{\w+\}/g, ''), word).not.toMatch(/[{}@|]/)
  })
})
