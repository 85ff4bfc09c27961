// Who is signed in. The session itself is a cookie that no script can read.

import { computed, ref } from 'vue'
import { get, onCalls, post, Refusal } from '@shared/api'
import type { LoginWays, Me } from '@shared/types'

/** The person, null while nobody is signed in. */
export const me = ref<Me | null>(null)

/** Whether the person has a password; some sign in by phone only. */
export const hasPassword = computed(() => (me.value as (Me & { password?: boolean }) | null)?.password !== false)

/** The session ended under an open page; signing in again goes on where it was. */
export const expired = ref(false)

/** How one may sign in here, and what the campus is called. Null until it is known. */
export const ways = ref<LoginWays | null>(null)

onCalls({
  unauthorized: () => (expired.value = me.value !== null),
  mustChange: () => {
    if (me.value) me.value.must_change = true
  },
})

/** Asks who is signed in. Null when nobody is; any other failure is thrown. */
export async function whoAmI(): Promise<Me | null> {
  try {
    me.value = await get<Me>('/me')
  } catch (e) {
    if (!(e instanceof Refusal) || e.status !== 401) throw e
    me.value = null
  }
  return me.value
}

/** Asks for the ways to sign in, once. */
export async function findWays(): Promise<LoginWays> {
  return (ways.value ??= await get<LoginWays>('/login/ways'))
}

/** Takes over who has just signed in. */
export function signedIn(now: Me): void {
  if (me.value && me.value.number !== now.number) {
    location.reload() // what is on the screen is somebody else's
    return
  }
  me.value = now
  expired.value = false
}

/** Ends the session here and at the server. */
export async function signOut(): Promise<void> {
  await post('/logout').catch((e) => {
    if (!(e instanceof Refusal) || e.status !== 401) throw e // it had ended already
  })
  me.value = null
  expired.value = false
}

/** Whether a person holds one of the scopes; no scopes asked = everybody. */
export function may(person: Pick<Me, 'scopes'> | null, scopes?: readonly string[]): boolean {
  if (!scopes?.length) return true
  const held = person?.scopes ?? []
  return held.includes('admin') || scopes.some((scope) => held.includes(scope))
}
