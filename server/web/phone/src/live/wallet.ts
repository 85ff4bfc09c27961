// The phone keys of passes: enrol, renew, and make the code of the moment.

import { get, post, refusalOf, type Refusal } from '@shared/api'
import type { LiveCode, MyPass, PhoneCredential, PhoneNonce } from '@shared/types'
import { base64, fromBase64 } from './bytes'
import { serverNow } from './clock'
import { credentialOf, freshNonce, makeCode, period, phoneId } from './code'
import { canHoldKeys, heldKey, nextCounter, putCredential, putKey, type Held } from './store'

const renewBefore = 24 * 3600 // s

/** A code to show, and until when (unix ms by the server). */
export interface Shown {
  code: string
  until: number
}

/** How a bound pass stands on this phone. */
export type Standing =
  | 'ready' // this phone makes its codes
  | 'new' // no phone has it yet
  | 'elsewhere' // another phone has it, or had this one's place taken
  | 'lapsed' // the credential is out of date and only the server can renew it
  | 'server' // this browser holds no keys; the server makes codes

/** Says how a pass stands, from what is kept and what the server last said. */
export async function standing(pass: MyPass, owner: string): Promise<Standing> {
  if (!canHoldKeys()) return 'server'
  let held: Held | undefined
  try {
    held = await heldKey(pass.id, owner)
  } catch {
    return 'server' // a database that does not open, as in some private windows
  }
  if (!held || !held.credential.length) return pass.phone ? 'elsewhere' : 'new'
  if (pass.phone && pass.phone !== held.phone) return 'elsewhere'
  return held.expires * 1000 > serverNow() ? 'ready' : 'lapsed'
}

/**
 * Makes this phone the one of a pass: its key signs a nonce of the server, and
 * the server gives a credential. The phone that had the pass before has it no
 * more. A key that is there already is used again.
 */
export async function enrol(pass: MyPass, owner: string): Promise<void> {
  const held = (await heldKey(pass.id, owner)) ?? (await freshKey(pass.id, owner))
  await prove(held)
  // Asks the browser not to clear our database when space runs out.
  if (navigator.storage?.persist) void navigator.storage.persist()
}

async function freshKey(pass: string, owner: string): Promise<Held> {
  const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign', 'verify'])
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const held: Held = {
    pass, owner, key: pair.privateKey, raw, phone: await phoneId(raw), credential: new Uint8Array(), expires: 0, counter: 0,
  }
  await putKey(held) // before the server knows of it: a key that is lost on the way is worse than one too many
  return held
}

/** Gets a credential for a key, its first or a later one. */
async function prove(held: Held): Promise<void> {
  const path = `/passes/${held.pass}/keys`
  const nonce = await post<PhoneNonce>(path + '/nonce')
  const proof = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, held.key, fromBase64(nonce.message))
  const given = await post<PhoneCredential>(path, { public_key: base64(held.raw), proof: base64(new Uint8Array(proof)) })
  await putCredential(held.pass, held.phone, credentialOf(given.credential), Math.floor(given.expires_at / 1000))
}

/**
 * Renews the credential of a pass that stands on this phone when less than a
 * day of it is left. It never takes a pass back from another phone: for that
 * the server must have said, in this pass, whose it is.
 */
export async function renew(pass: MyPass, owner: string): Promise<Refusal | undefined> {
  try {
    const held = await heldKey(pass.id, owner)
    if (!held?.credential.length || pass.phone !== held.phone) return undefined
    const end = Date.parse(pass.until) / 1000
    if (held.expires - serverNow() / 1000 > renewBefore || held.expires >= end) return undefined
    await prove(held)
    return undefined
  } catch (e) {
    return refusalOf(e)
  }
}

/** The next code of a pass that is ready on this phone. Every call makes another. */
export async function phoneCode(pass: string, owner: string): Promise<Shown> {
  const held = await heldKey(pass, owner)
  if (!held) throw new Error('the key of this pass is gone')
  const now = serverNow()
  if (held.expires * 1000 <= now) throw new Error('the credential has run out')
  const counter = await nextCounter(pass, held.phone)
  const code = await makeCode(held.key, held.credential, { t: Math.floor(now / 1000), counter, nonce: freshNonce() })
  return { code, until: now + period }
}

/** A code that the server signs, for a browser that holds no keys. */
export async function serverCode(pass: string): Promise<Shown> {
  const live = await get<LiveCode>(`/me/passes/${pass}/live`)
  return { code: live.code, until: live.expires_at }
}
