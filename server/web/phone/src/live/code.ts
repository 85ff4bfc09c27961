// Live codes: what the phone shows of a pass that is bound to it, or to pay with.
// Made from the credential that the server signed and a proof that this phone's key signs;
// no network is needed. signing/FORMAT.md, section 3.

import { array, base45, byteString, emptyMap, fromBase45, join, text, uint, type Bytes } from './bytes'

/** How long one code is shown. */
export const period = 10_000 // ms

const header = new Uint8Array([0xa1, 0x01, 0x26]) // {1: -7}, ES256

/** What a code is for; a gate takes none that pays, and a till none that opens. */
export const context = { gate: 1, pay: 2, /** With the card password. */ confirmed: 3 } as const

/** What a phone says each time. */
export interface Proof {
  /** Unix seconds. */
  t: number
  /** Never twice the same for one key. */
  counter: number
  /** 4 bytes. */
  nonce: Uint8Array
  context: number
}

/** The bytes of a credential as the server wrote it: `CP1:` and base45. */
export function credentialOf(written: string): Bytes {
  if (!written.startsWith('CP1:')) throw new Error('credential: does not begin with CP1:')
  const bytes = fromBase45(written.slice(4))
  if (bytes[0] !== 0x84) throw new Error('credential: no array of four')
  return bytes
}

/** The bytes that a proof's signature is over. */
export async function toBeSigned(credential: Bytes, proof: Uint8Array): Promise<Bytes> {
  const bound = new Uint8Array(await crypto.subtle.digest('SHA-256', credential))
  return join(array(text('Signature1'), byteString(header), byteString(bound), byteString(proof)))
}

export const proofBytes = (p: Proof): Uint8Array => array(uint(p.t), uint(p.counter), byteString(p.nonce), uint(p.context))

/** The text of a live code, given its proof's signature. */
export function liveText(credential: Uint8Array, proof: Uint8Array, signature: Uint8Array): string {
  const signed = array(byteString(header), emptyMap, byteString(proof), byteString(signature))
  return 'CP1:' + base45(array(credential, signed))
}

/** Signs a proof with the phone's key and gives the code to show. */
export async function makeCode(key: CryptoKey, credential: Bytes, p: Proof): Promise<string> {
  const proof = proofBytes(p)
  const signature = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key, await toBeSigned(credential, proof))
  return liveText(credential, proof, new Uint8Array(signature))
}

/** Four fresh bytes. */
export const freshNonce = (): Uint8Array => crypto.getRandomValues(new Uint8Array(4))

/** The id of a phone's key: SHA-256 over its compressed point, in hex. `raw` is 04, x, y. */
export async function phoneId(raw: Uint8Array): Promise<string> {
  const compressed = join(new Uint8Array([2 + (raw[64]! & 1)]), raw.slice(1, 33))
  const sum = new Uint8Array(await crypto.subtle.digest('SHA-256', compressed))
  return [...sum].map((b) => b.toString(16).padStart(2, '0')).join('')
}
