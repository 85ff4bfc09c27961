import { pbkdf2Sync } from 'node:crypto'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Held } from './store'

// The database of the phone, as far as this goes.
const held = new Map<string, Partial<Held>>()
vi.mock('./store', () => ({
  heldKey: (pass: string, owner: string) => Promise.resolve(held.get(pass)?.owner === owner ? held.get(pass) : undefined),
  noteWrong: (pass: string, wrong: (before: number) => number) => {
    const one = held.get(pass)!
    const before = one.wrong ?? 0
    one.wrong = wrong(before)
    return Promise.resolve(before)
  },
}))
const { checkPin, matches, tries } = await import('./pin')

const salt = Buffer.from('salt of sixteen.')
const verifier = (password: string, iterations = 1000) => ({
  salt: salt.toString('base64'), iterations, hash: pbkdf2Sync(password, salt, iterations, 32, 'sha256').toString('base64'), kdf: 'PBKDF2-SHA256',
})

beforeEach(() => {
  held.clear()
  held.set('card/1', { owner: 'T1', verifier: verifier('195283') })
})

describe('the card password on the phone', () => {
  it('CM-085 is the one that the server made the verifier of', async () => {
    const v = verifier('195283', 600_000) // as many rounds as the server says
    expect(await matches(v, '195283')).toBe(true)
    for (const wrong of ['195284', '', '1952830', '１９５２８３']) expect(await matches(v, wrong), wrong).toBe(false)
  })
  it('nothing is right by a verifier that is none', async () => {
    const v = verifier('195283')
    expect(await matches({ ...v, kdf: 'MD5' }, '195283')).toBe(false)
    expect(await matches({ ...v, hash: '' }, '195283')).toBe(false)
  })
  it('CM-072 after five wrong ones only the server can say', async () => {
    for (let left = tries - 1; left >= 0; left--) expect(await checkPin('card/1', 'T1', '000000')).toEqual({ right: false, left })
    expect(await checkPin('card/1', 'T1', '195283')).toBe('ask')
  })
  it('a right one forgives those before it', async () => {
    for (let n = 1; n < tries; n++) await checkPin('card/1', 'T1', '000000')
    expect(await checkPin('card/1', 'T1', '195283')).toEqual({ right: true })
    expect(held.get('card/1')!.wrong).toBe(0)
  })
  it('a try counts before its answer is known', async () => {
    const first = checkPin('card/1', 'T1', '000000')
    await Promise.resolve()
    await Promise.resolve()
    expect(held.get('card/1')!.wrong).toBe(1)
    await first
  })
  it('is not checked for anybody else, nor where nothing is kept', async () => {
    expect(await checkPin('card/1', 'T2', '195283')).toBe('ask')
    held.set('card/1', { owner: 'T1' })
    expect(await checkPin('card/1', 'T1', '195283')).toBe('ask')
  })
})
