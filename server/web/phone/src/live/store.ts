// What the phone keeps in its own database: the keys of passes, which cannot be
// read out of it, and what the pages need to open without a network.

import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Bytes } from './bytes'

/** The key of one pass on this phone. */
export interface Held {
  pass: string
  /** Number of the person whose pass it is. */
  owner: string
  key: CryptoKey // not extractable
  raw: Bytes // public point: 04, x, y
  phone: string // id of the key
  credential: Bytes // empty until the server has given one
  /** Unix seconds until which gates take the credential. */
  expires: number
  /** Of the last code that was shown. */
  counter: number
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
    throw new Error('the key of this pass is gone')
  }
  held.counter++
  await tx.store.put(held)
  await tx.done
  return held.counter
}

/** Stores a credential, unless the key was replaced meanwhile. */
export async function putCredential(pass: string, phone: string, credential: Bytes, expires: number): Promise<void> {
  const tx = (await db()).transaction('keys', 'readwrite')
  const held = await tx.store.get(pass)
  if (held?.phone === phone) await tx.store.put({ ...held, credential, expires })
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
