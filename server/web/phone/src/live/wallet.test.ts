import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { MyCard } from '../card/types'
import { base45, fromBase45 } from './bytes'
import type { Held } from './store'

vi.stubGlobal('navigator', {}) // node 20 has none
const held = new Map<string, Held>()
const calls: string[] = []
const credential = new Uint8Array([0x84, 1, 2, 3])
let expires = 0

vi.mock('./store', () => ({
  canHoldKeys: () => true,
  heldKey: (pass: string, owner: string) => Promise.resolve(held.get(pass)?.owner === owner ? held.get(pass) : undefined),
  putKey: (one: Held) => Promise.resolve(held.set(one.pass, one)),
  nextCounter: (pass: string) => Promise.resolve(++held.get(pass)!.counter),
  putCredential: (pass: string, _phone: string, fresh: Uint8Array, until: number) => Promise.resolve(Object.assign(held.get(pass)!, { credential: fresh, expires: until })),
}))
vi.mock('@shared/api', () => ({
  get: vi.fn(),
  refusalOf: (e: unknown) => e,
  post: (path: string) => {
    calls.push(path)
    return Promise.resolve(path.endsWith('/nonce') ? { message: btoa('sign this') } : { credential: 'CP1:' + base45(credential), expires_at: expires * 1000 })
  },
}))
const { enrol, phoneCode, renew, standing } = await import('./wallet')
const { cardTicket } = await import('./ticket')

const now = () => Math.floor(Date.now() / 1000)
const hours = (n: number) => now() + n * 3600
const card = (phone?: string) => cardTicket({ account: '600100238', phone: phone ? { id: phone, enrolled_at: 0, expires_at: 0 } : undefined } as MyCard)
const mine = () => held.get('card/600100238')!

beforeEach(async () => {
  held.clear()
  expires = hours(72)
  await enrol(card(), 'T1')
  calls.length = 0
})

describe('the card on the phone', () => {
  it('CM-072 is renewed when a third of its life is over, and not before', async () => {
    mine().expires = hours(48.1)
    await renew(card(mine().phone), 'T1')
    expect(calls).toEqual([])
    mine().expires = hours(47.9)
    await renew(card(mine().phone), 'T1')
    expect(calls).toEqual(['/cards/me/keys/nonce', '/cards/me/keys'])
    expect(mine().expires).toBe(expires)
  })
  it('is renewed at once when what it says is out of date', async () => {
    await renew(card(mine().phone), 'T1', true)
    expect(calls).toHaveLength(2)
  })
  it('is never taken back from another phone without a tap', async () => {
    await renew(card('another'), 'T1', true)
    await renew(card(), 'T1', true)
    expect(calls).toEqual([])
    expect(await standing(card('another'), 'T1')).toBe('elsewhere')
  })
  it('CM-084 without its credential it waits for the server, and comes back with the same key', async () => {
    const phone = mine().phone
    Object.assign(mine(), { credential: new Uint8Array(), expires: 0 })
    expect(await standing(card(phone), 'T1')).toBe('lapsed')
    expect(await standing(card(), 'T1')).toBe('new')
    await renew(card(phone), 'T1')
    expect(await standing(card(phone), 'T1')).toBe('ready')
    expect(mine().phone).toBe(phone)
  })
  it('CM-072 codes pay, and only a confirmed one says so', async () => {
    const said = async (confirmed?: boolean) => {
      const { code } = await phoneCode(card(), 'T1', confirmed)
      const bytes = fromBase45(code.slice(4))
      return bytes[bytes.length - 67] // the context stands before the signature and its head
    }
    expect([await said(), await said(true), await said()]).toEqual([2, 3, 2])
  })
  it('answers only to its owner', async () => {
    await expect(phoneCode(card(), 'T2')).rejects.toThrow()
    expect(await standing(card(mine().phone), 'T2')).toBe('elsewhere')
  })
})
