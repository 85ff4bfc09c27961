import { ECDH, webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { array, base45, byteString, fromBase45, text, uint, type Bytes } from './bytes'
import { context, credentialOf, freshNonce, liveText, makeCode, phoneId, proofBytes, toBeSigned } from './code'

// The worked example of signing/FORMAT.md, whose bytes the Go side is tested with.
const format = readFileSync(new URL('../../../../../signing/FORMAT.md', import.meta.url), 'utf8')
const example = (name: string, glue = '') => {
  const found = new RegExp('```text ' + name + '\\n([^`]+)```').exec(format)
  if (!found) throw new Error('no example: ' + name)
  return found[1]!.trimEnd().split('\n').join(glue)
}
const bytes = (hex: string): Bytes => new Uint8Array(hex.match(/../g)!.map((h) => parseInt(h, 16)))
const hex = (b: Uint8Array) => [...b].map((n) => n.toString(16).padStart(2, '0')).join('')

const proof = { t: 0x6a964dc0, counter: 17, nonce: bytes('cafe0001'), context: context.gate }
const credential = bytes(example('bound credential'))
const live = bytes(example('live bytes'))
const signature = live.slice(-64)

let point: Bytes
let key: CryptoKey
beforeAll(async () => {
  point = new Uint8Array(ECDH.convertKey(example('phone key'), 'prime256v1', 'hex', undefined, 'uncompressed') as unknown as Buffer)
  key = (await webcrypto.subtle.importKey('raw', point, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])) as CryptoKey
})

const verify = (by: CryptoKey, message: Bytes, signed: Bytes) => crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, by, signed, message)

describe('a live code', () => {
  it('has the very bytes of the worked example', () => {
    expect(hex(proofBytes(proof))).toBe(example('proof payload'))
    const code = liveText(credential, proofBytes(proof), signature)
    expect(code).toBe(example('live code').replace(/\n/g, ''))
    expect(hex(fromBase45(code.slice(4)))).toBe(hex(live))
  })
  it('is signed over what the gate verifies', async () => {
    expect(await verify(key, await toBeSigned(credential, proofBytes(proof)), signature)).toBe(true)
    const other = await toBeSigned(credential, proofBytes({ ...proof, counter: 18 }))
    expect(await verify(key, other, signature)).toBe(false)
  })
  it('names the phone as the server does', async () => {
    expect(await phoneId(point)).toBe(example('phone id'))
  })
  it('CQ-056 made with a key that cannot be read out, it verifies', async () => {
    const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
    const said = { t: 1788235200, counter: 2 ** 40, nonce: freshNonce(), context: context.gate }
    const code = await makeCode(pair.privateKey, credential, said)
    expect(code).toMatch(/^CP1:[0-9A-Z $%*+\-./:]+$/)
    const all = fromBase45(code.slice(4))
    expect(all[0]).toBe(0x82)
    expect(await verify(pair.publicKey, await toBeSigned(credential, proofBytes(said)), all.slice(-64))).toBe(true)
    await expect(crypto.subtle.exportKey('pkcs8', pair.privateKey)).rejects.toThrow()
  })
  it('CM-072 says what it is for: a gate, paying, or paying with the card password', async () => {
    expect([context.gate, context.pay, context.confirmed].map((one) => hex(proofBytes({ ...proof, context: one })).slice(-2))).toEqual(['01', '02', '03'])
    const paying = proofBytes({ ...proof, context: context.pay })
    // What was signed for a gate is no signature over what pays.
    expect(await verify(key, await toBeSigned(credential, paying), signature)).toBe(false)
  })
  it('takes only a credential of ours', () => {
    expect(hex(credentialOf('CP1:' + base45(credential)))).toBe(hex(credential))
    for (const wrong of ['', 'CP1:', 'HTTPS://X/V/AA', 'CP1:aa', 'CP1:' + base45(live)]) expect(() => credentialOf(wrong)).toThrow()
  })
})

describe('bytes', () => {
  it('base45 is that of RFC 9285', () => {
    const ascii = (s: string) => new TextEncoder().encode(s)
    expect([base45(ascii('AB')), base45(ascii('Hello!!')), base45(ascii('base-45')), base45(ascii('ietf!'))]).toEqual(['BB8', '%69 VD92EX0', 'UJCLQE7W581', 'QED8WEX0'])
    for (const wrong of ['A', 'a11', ':::', 'GGW', '::']) expect(() => fromBase45(wrong)).toThrow()
  })
  it('numbers have their shortest head', () => {
    expect([23, 24, 255, 256, 65535, 65536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1].map((n) => hex(uint(n)))).toEqual([
      '17', '1818', '18ff', '190100', '19ffff', '1a00010000', '1affffffff', '1b0000000100000000', '1b001fffffffffffff',
    ])
    expect(hex(array(text('a'), byteString(bytes('01'))))).toBe('8261614101')
  })
})
