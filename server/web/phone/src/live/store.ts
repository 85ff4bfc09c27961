// What the phone keeps in its own database: the keys of passes and of the card, which cannot be
// read out of it, and what the pages need to open without a network.

import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Bytes } from './bytes'
import type { Verifier } from './pin'

/** The key of one ticket on this phone. */
export interface Held {
  /** Id of the ticket. */
  pass: string
  /** Number of the person whose it is. */
  owner: string
  key: CryptoKey // not extractable
  raw: Bytes // public point: 04, x, y
  phone: string // id of the key
  credential: Bytes // empty until the server has given one
  /** Unix seconds until which gates take the credential. */
  expires: number
  /** Of the last code that was shown. */
  counter: number
  /** What the card password is checked by without a network. */
  verifier?: Verifier
  /** Wrong card passwords in a row. */
  wrong?: number
}

interface Shelf extends DBSchema {
  keys: { key: string; value: Held }
  shelf: { key: string; value: { owner: string; value: unknown; at: number } }
}

let opened: Promise<IDBPDatabase<Shelf>> | undefined

/** The database; rejects where the browser has none. */
function db(): Promise<IDBPDatabase<Shelf>> {
  opened ??= openDB<Shelf>('campusgate', 1, {
    upgrade(fresh) {
      fresh.createObjectStore('keys', { keyPath: 'pass' })
      fresh.createObjectStore('shelf')
    },
    // Another tab with a later build wants it.
    blocking: () => void opened?.then((d) => d.close()).finally(() => (opened = undefined)),
    terminated: () => (opened = undefined),
  })
  opened.catch(() => (opened = undefined))
  return opened
}

/** Whether this browser can hold a key: a secure page, WebCrypto and a database. */
export function canHoldKeys(): boolean {
  return typeof indexedDB !== 'undefined' && typeof crypto !== 'undefined' && Boolean(crypto.subtle)
}

export async function heldKey(pass: string, owner: string): Promise<Held | undefined> {
  const held = await (await db()).get('keys', pass)
  return held?.owner === owner ? held : undefined
}

export async function putKey(held: Held): Promise<void> {
  await (await db()).put('keys', held)
}

/**
 * The next counter of a key. It is on disk before anybody sees a code with it,
 * and two tabs never get the same.
 */
export async function nextCounter(pass: string, phone: string): Promise<number> {
  const tx = (await db()).transaction('keys', 'readwrite', { durability: 'strict' })
  const held = await tx.store.get(pass)
  if (held?.phone !== phone) {
    await tx.done
    throw new Error('the key is gone')
  }
  held.counter++
  await tx.store.put(held)
  await tx.done
  return held.counter
}

/** Stores a credential, unless the key was replaced meanwhile. */
export async function putCredential(pass: string, phone: string, credential: Bytes, expires: number, verifier?: Verifier): Promise<void> {
  await change(pass, (held) => {
    if (held.phone !== phone) return
    if (held.verifier?.salt !== verifier?.salt) held.wrong = 0 // another password
    Object.assign(held, { credential, expires, verifier })
  })
}

/** Throws a credential away that is good for nothing any more. The key stays: it may be given another. */
export async function dropCredential(pass: string): Promise<void> {
  await change(pass, (held) => Object.assign(held, { credential: new Uint8Array(), expires: 0, verifier: undefined }))
}

/** Notes how many card passwords in a row were wrong, and gives how many there were before. */
export async function noteWrong(pass: string, wrong: (before: number) => number): Promise<number> {
  let before = 0
  await change(pass, (held) => {
    before = held.wrong ?? 0
    held.wrong = wrong(before)
  })
  return before
}

async function change(pass: string, how: (held: Held) => void): Promise<void> {
  const tx = (await db()).transaction('keys', 'readwrite')
  const held = await tx.store.get(pass)
  if (held) {
    how(held)
    await tx.store.put(held)
  }
  await tx.done
}

/** Keeps an answer for the time without a network. A browser that keeps nothing is no error. */
export async function keep(name: string, owner: string, value: unknown): Promise<void> {
  try {
    await (await db()).put('shelf', { owner, value: JSON.parse(JSON.stringify(value)), at: Date.now() }, name)
  } catch {
    // The page works; it will not open offline.
  }
}

/** What was kept under a name, of anybody when owner is "". */
export async function kept<T>(name: string, owner = ''): Promise<T | undefined> {
  try {
    const found = await (await db()).get('shelf', name)
    return found && (!owner || found.owner === owner) ? (found.value as T) : undefined
  } catch {
    return undefined
  }
}

/** Wipes what is kept; the keys of passes too, unless they are to stay. */
export async function wipe(keysToo: boolean): Promise<void> {
  try {
    const open = await db()
    await open.clear('shelf')
    if (keysToo) await open.clear('keys')
  } catch {
    // There is nothing to wipe.
  }
}
