import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { menu, menuFor } from './menu'
import { placeAfter } from './places'
import { routes, metaOf } from './routes'
import { may } from './session'

const here = fileURLToPath(new URL('.', import.meta.url))
const sources = (readdirSync(here, { recursive: true }) as string[]).filter((name) => /\.(vue|ts)$/.test(name) && !/\.(test|d)\.ts$/.test(name))
const text = (name: string) => readFileSync(join(here, name), 'utf8')

/** Every word of every area, with where it stands. */
const words = sources.filter((name) => /(^|\/)words\.ts$/.test(name)).flatMap((name) =>
  [...text(name).matchAll(/^ {2}(\w+): \['((?:[^'\\]|\\.)*)', '((?:[^'\\]|\\.)*)'\],$/gm)].map(([, key, zh, en]) => ({ name, key: key!, zh: zh!, en: en! })))

describe('the words', () => {
  it('are each written once, in both languages, with the same values in them', () => {
    expect(words.length).toBeGreaterThan(300)
    const values = (said: string) => [...said.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort()
    for (const { key, zh, en } of words) {
      expect(zh !== '' && en !== '', key).toBe(true)
      const forms = en.split(' | ') // of one, and of many; "the selected draft" need not say 1
      expect(values(forms.at(-1)!), key).toEqual(values(zh))
      expect(forms.length === 1 || forms.length === 2 && /\{(n|count)\}/.test(zh), key).toBe(true)
      expect((zh + forms.join('')).replace(/\{\w+\}/g, ''), key).not.toMatch(/[{}@|]/) // signs of the message format
    }
    expect(new Set(words.map((word) => word.key)).size).toBe(words.length)
  })
  it('are there for every key that a page asks for', () => {
    const known = new Set(words.map((word) => word.key))
    for (const name of sources) {
      for (const [, key] of text(name).matchAll(/\bt\('(\w+)'[,)]/g)) expect(known.has(key!), `${name}: ${key}`).toBe(true)
      for (const [, key] of text(name).matchAll(/\bword: '(\w+)'/g)) expect(known.has(key!), `${name}: ${key}`).toBe(true)
    }
  })
  it('are loaded with every page that asks for them', () => {
    const files = new Set(sources)
    const reached = (name: string, seen = new Set<string>()): Set<string> => {
      if (seen.has(name)) return seen
      seen.add(name)
      for (const [, path] of text(name).matchAll(/(?:from|import) '(\.[^']*)'/g)) {
        const to = join(name, '..', path!)
        const file = [to, to + '.ts'].find((one) => files.has(one))
        if (file) reached(file, seen)
      }
      return seen
    }
    for (const [, page] of text('routes.ts').matchAll(/import\('\.\/([^']*)'\)/g)) {
      const all = [...reached(page!)]
      const known = new Set(words.filter((word) => word.name === 'words.ts' || all.includes(word.name)).map((word) => word.key))
      for (const name of all) {
        for (const [, key] of text(name).matchAll(/\b(?:t\(|word: )'(\w+)'/g)) if (!key!.endsWith('_')) expect(known.has(key!), `${page}: ${key} of ${name}`).toBe(true)
      }
    }
  })
  it('are each used somewhere', () => {
    const code = sources.filter((name) => !/(^|\/)words\.ts$/.test(name)).map(text).join('\n')
    const parts = new Set([...code.matchAll(/['`](\w+_)(?:'\s*\+|\$\{)/g)].map((m) => m[1]!)) // t('box_' + box)
    const built = (key: string) => [...parts].some((part) => key.startsWith(part)) || /^login_\w+_way$/.test(key)
    expect(words.map((word) => word.key).filter((key) => !built(key) && !new RegExp(`['"\`]${key}['"\`]`).test(code))).toEqual([])
  })
})

it('says one in the singular, and a number of which only the least is known in the plural', async () => {
  await import('./words')
  const { i18n } = await import('./i18n')
  const said = (values: object) => i18n.global.t('conflicts_unseen', values as Record<string, unknown>)
  i18n.global.locale.value = 'en'
  expect(said({ n: 1, count: 1 })).toMatch(/^1 pass was /)
  expect(said({ n: 2, count: 2 })).toMatch(/^2 passes were /)
  expect(said({ n: '100+', count: 100 })).toMatch(/^100\+ passes were /)
  i18n.global.locale.value = 'zh'
  expect(said({ n: 1, count: 1 })).toBe('1 个通行证超次使用,待处理')
})

describe('the menu', () => {
  const paths = (scopes: string[] | null) => menuFor(scopes && { scopes }).flatMap((group) => group.entries.map((entry) => entry.to))
  it('ZA-015 CM-008 leads everybody to start, to do, done, started, copies and drafts', () => {
    expect(paths(['self'])).toEqual(['/', '/services', '/work/todo', '/work/done', '/work/started', '/work/cc', '/work/drafts', '/notices'])
  })
  it('shows what needs a scope to those who hold it, and to administrators', () => {
    expect(paths(['self', 'flows:write'])).toContain('/flows')
    expect(paths(['self', 'admin'])).toContain('/flows')
    expect(paths(['self', 'guard', 'stats'])).not.toContain('/flows')
    expect(menuFor({ scopes: ['self'] }).map((group) => group.word)).toEqual(['menu_work'])
  })
  it('has a page behind every entry, with at least its scopes', () => {
    for (const entry of menu.flatMap((group) => group.entries)) {
      const page = routes.find((route) => new RegExp('^' + route.path.replace(/:\w+(\([^)]*\))?\??/g, '[^/]+') + '$').test(entry.to))
      expect(page?.name, entry.to).not.toBe('lost')
      expect(metaOf(page as never).scopes ?? [], entry.to).toEqual(entry.records ? [] : (entry.scopes ?? [])) // that page asks for itself who may read what
    }
  })
})

describe('who may', () => {
  it('asks for one of the scopes; nothing asked is everybody', () => {
    expect([may(null), may(null, ['stats']), may({ scopes: ['stats'] }, ['stats', 'audit:read']), may({ scopes: ['self'] }, ['stats']), may({ scopes: ['admin'] }, ['anything'])]).toEqual([true, false, true, false, true])
  })
})

describe('the place after signing in', () => {
  it('is kept where it is one of this app', () => {
    expect(placeAfter('/applications/a1?x=1')).toBe('/applications/a1?x=1')
  })
  it.each(['//evil.example', 'https://evil.example', '/\\evil.example', 'javascript:alert(1)', '', undefined, ['/a'], '/login?to=/login', '/password', '/link'])('is the first page instead of %s', (to) => {
    expect(placeAfter(to)).toBe('/')
  })
})

