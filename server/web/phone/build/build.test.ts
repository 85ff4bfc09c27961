import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { drawings } from './drawings'
import { iconStyle } from './icons'
import { listOf } from './precache'

describe('the list of the service worker', () => {
  const files = { 'index.html': '<html>', 'assets/a-1.js': 'a', 'sw.js': 'sw', '.gitkeep': '', 'icon.svg': new Uint8Array([1]) }

  it('has every file of the build, the first page as the app’s own path, and not the worker', () => {
    expect(listOf(files).files).toEqual(['assets/a-1.js', 'icon.svg', ''])
  })
  it('has another version as soon as one byte differs, and only then', () => {
    expect(listOf({ ...files }).version).toBe(listOf(files).version)
    expect(listOf({ ...files, 'icon.svg': new Uint8Array([2]) }).version).not.toBe(listOf(files).version)
    expect(listOf({ ...files, 'sw.js': 'other' }).version).toBe(listOf(files).version)
  })
})

describe('icons', () => {
  it('come from nowhere else', () => {
    expect(iconStyle().replaceAll('http://www.w3.org/2000/svg', '')).not.toMatch(/@font-face|url\("(?!data:)|\/\//)
  })
  it('are drawn for every name that a page uses', () => {
    const src = new URL('../src/', import.meta.url)
    const used = new Set<string>()
    for (const name of readdirSync(src, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(vue|ts)$/.test(name) || name.endsWith('.test.ts')) continue
      const text = readFileSync(new URL(name, src), 'utf8')
      for (const m of text.matchAll(/<van-icon name="([a-z-]+)"|icon: '([a-z-]+)'|empty-icon="([a-z-]+)"|(?:void-)?icon="([a-z-]+)"/g)) used.add(m.slice(1).find(Boolean)!)
    }
    expect(used.size).toBeGreaterThan(20)
    expect([...used].filter((name) => !(name in drawings))).toEqual([])
  })
})
