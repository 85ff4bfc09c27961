// The card password on the phone: with no network a code says that the holder
// has confirmed it only after this phone has checked.

import { fromBase64 } from './bytes'
import { heldKey, noteWrong } from './store'

/** What a password is checked by, as the server gives it with a credential. */
export interface Verifier {
  salt: string // base64
  iterations: number
  hash: string // base64
  kdf: string
}

/** So many wrong passwords in a row, and only the server can say that one is right. */
export const tries = 5

/** Whether a password is the one of a verifier. */
export async function matches(v: Verifier, password: string): Promise<boolean> {
  if (v.kdf !== 'PBKDF2-SHA256') return false
  const want = fromBase64(v.hash)
  if (!want.length) return false
  const key = await crypto.subtle.importKey('raw', new TextEncoder().encode(password), 'PBKDF2', false, ['deriveBits'])
  const derived = await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt: fromBase64(v.salt), iterations: v.iterations }, key, want.length * 8)
  const got = new Uint8Array(derived)
  return got.reduce((differ, b, i) => differ | (b ^ want[i]!), 0) === 0
}

/** What this phone says of a password. */
export type Checked = { right: true } | { right: false; /** Tries that are left. */ left: number } | 'ask' // only the server knows

/** Checks a password by what is kept with a ticket. A try counts before its answer is known. */
export async function checkPin(ticket: string, owner: string, password: string): Promise<Checked> {
  const held = await heldKey(ticket, owner)
  if (!held?.verifier) return 'ask'
  const before = await noteWrong(ticket, (n) => Math.min(tries, n + 1))
  if (before >= tries) return 'ask'
  if (!(await matches(held.verifier, password))) return { right: false, left: tries - before - 1 }
  await forgiveWrong(ticket)
  return { right: true }
}

/** The password was right: what went before does not count. */
export async function forgiveWrong(ticket: string): Promise<void> {
  await noteWrong(ticket, () => 0)
}
