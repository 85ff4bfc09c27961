// Who is signed in. A copy is kept on the phone, so that the pages open without
// a network.

import { get, post, refusalOf } from '@shared/api'
import type { Me } from '@shared/types'
import { readonly, ref } from 'vue'
import { keep, kept, wipe } from '../live/store'
import { forgetTyped } from '../form/typed'

const person = ref<Me | null>(null)
const unread = ref(0)
/** Whether the last call got no answer. */
const offline = ref(false)
/** Whether the server wants the person to sign in again. Passes are still shown, as without a network. */
const expired = ref(false)

let known: Promise<void> | undefined

export const session = {
  me: readonly(person),
  unread: readonly(unread),
  offline: readonly(offline),
  expired: readonly(expired),

  /** Finds out who is signed in, once: at once from the copy, else from the server. */
  start(): Promise<void> {
    known ??= begin()
    return known
  },

  /** Somebody signed in, or what is known of them changed. */
  async enter(me: Me): Promise<void> {
    const before = await kept<Me>('me')
    if (before && before.number !== me.number) await wipe(false) // of somebody else; their keys answer only to them
    adopt(me)
    known = Promise.resolve()
    await keep('me', me.number, me)
  },

  /** Asks the server again; a call that gets no answer changes nothing. */
  async refresh(): Promise<void> {
    try {
      const me = await get<Me>('/me')
      await session.enter(me)
    } catch (e) {
      if (!refusalOf(e).offline) throw e
    }
  },

  /** The server says that there is no session. What is kept stays until somebody signs in or out. */
  lost(): void {
    expired.value = true
  },

  /** Signs out and wipes what this phone keeps of the person. */
  async leave(keysToo: boolean): Promise<void> {
    await post('/logout')
    forgetTyped()
    await wipe(keysToo)
    adopt(null)
  },

  setUnread(n: number): void {
    unread.value = Math.max(0, n)
  },

  setOffline(now: boolean): void {
    offline.value = now
  },

  can(scope: string): boolean {
    const scopes = person.value?.scopes ?? []
    return scopes.includes(scope) || scopes.includes('admin')
  },
}

function adopt(me: Me | null): void {
  person.value = me
  expired.value = false
  unread.value = me?.unread ?? 0
}

async function begin(): Promise<void> {
  const copy = await kept<Me>('me')
  if (copy) {
    adopt(copy)
    void session.refresh().catch(() => undefined) // 401 is told by the hook of calls
    return
  }
  try {
    await session.refresh()
  } catch {
    adopt(null)
  }
}
