// The phone keys of tickets: enrol, renew, and make the code of the moment.

import { post, refusalOf, type Refusal } from '@shared/api'
import type { PhoneCredential, PhoneNonce } from '@shared/types'
import { base64, fromBase64 } from './bytes'
import { serverNow } from './clock'
import { credentialOf, freshNonce, makeCode, period, phoneId } from './code'
import type { Verifier } from './pin'
import { canHoldKeys, heldKey, nextCounter, putCredential, putKey, type Held } from './store'
import type { Ticket } from './ticket'

/** A code to show, and until when (unix ms by the server). */
export interface Shown {
  code: string
  until: number
}

/** How a ticket stands on this phone. */
export type Standing =
  | 'ready' // this phone makes its codes
  | 'new' // no phone has it yet
  | 'elsewhere' // another phone has it, or had this one's place taken
  | 'lapsed' // the credential is out of date and only the server can renew it
  | 'server' // this browser holds no keys; the server makes codes

/** Says how a ticket stands, from what is kept and what the server last said. */
export async function standing(ticket: Ticket, owner: string): Promise<Standing> {
  if (!canHoldKeys()) return 'server'
  let held: Held | undefined
  try {
    held = await heldKey(ticket.id, owner)
  } catch {
    return 'server' // a database that does not open, as in some private windows
  }
  if (!held || (!held.credential.length && !ticket.phone)) return ticket.phone ? 'elsewhere' : 'new'
  if (ticket.phone && ticket.phone !== held.phone) return 'elsewhere'
  return held.expires * 1000 > serverNow() ? 'ready' : 'lapsed'
}

/**
 * Makes this phone the one of a ticket: its key signs a nonce of the server, and
 * the server gives a credential. The phone that had it before has it no more. A
 * key that is there already is used again.
 */
export async function enrol(ticket: Ticket, owner: string): Promise<void> {
  const held = (await heldKey(ticket.id, owner)) ?? (await freshKey(ticket.id, owner))
  await prove(ticket, held)
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
async function prove(ticket: Ticket, held: Held): Promise<void> {
  const nonce = await post<PhoneNonce>(ticket.keys + '/nonce')
  const proof = await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, held.key, fromBase64(nonce.message))
  const given = await post<PhoneCredential & { verifier?: Verifier }>(ticket.keys, { public_key: base64(held.raw), proof: base64(new Uint8Array(proof)) })
  await putCredential(held.pass, held.phone, credentialOf(given.credential), Math.floor(given.expires_at / 1000), given.verifier)
}

/**
 * Renews the credential of a ticket that stands on this phone when little of it
 * is left, or at once: when what it says is out of date. It never takes a
 * ticket back from another phone: for that the server must have said, in this
 * ticket, whose it is.
 */
export async function renew(ticket: Ticket, owner: string, now = false): Promise<Refusal | undefined> {
  try {
    const held = await heldKey(ticket.id, owner)
    if (!held || ticket.phone !== held.phone) return undefined
    const left = held.expires - serverNow() / 1000
    if (!now && held.credential.length && (left > ticket.renewBefore || held.expires >= ticket.end)) return undefined
    await prove(ticket, held)
    return undefined
  } catch (e) {
    return refusalOf(e)
  }
}

/** The next code of a ticket that is ready on this phone. Every call makes another. */
export async function phoneCode(ticket: Ticket, owner: string, confirmed = false): Promise<Shown> {
  const held = await heldKey(ticket.id, owner)
  if (!held) throw new Error('the key is gone')
  const now = serverNow()
  if (held.expires * 1000 <= now) throw new Error('the credential has run out')
  const counter = await nextCounter(ticket.id, held.phone)
  const code = await makeCode(held.key, held.credential, {
    t: Math.floor(now / 1000), counter, nonce: freshNonce(), context: confirmed ? ticket.confirmed : ticket.context,
  })
  return { code, until: now + period }
}

/** A code that the server signs, for a browser that holds no keys. */
export async function serverCode(ticket: Ticket, password?: string): Promise<Shown> {
  const live = await ticket.serverCode(password)
  return { code: live.code, until: live.expires_at }
}
