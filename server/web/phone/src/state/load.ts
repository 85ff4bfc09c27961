// One thing that a page loads, with what a person must know of it meanwhile.

import { refusalOf, type Refusal } from '@shared/api'
import { ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { keep, kept } from '../live/store'
import { session } from './session'

export interface Loaded<T> {
  value: ShallowRef<T | null>
  /** Only while there is nothing to show yet. */
  loading: Ref<boolean>
  /** Only while there is nothing to show. */
  error: ShallowRef<Refusal | null>
  /** Whether what is shown was kept from before. */
  stale: Ref<boolean>
  load(): Promise<void>
}

/**
 * Loads with fetch. Under a name, the answer is kept on the phone, shown at once
 * the next time, and stands when there is no network.
 */
export function useLoad<T>(fetch: () => Promise<T>, name = ''): Loaded<T> {
  const value = shallowRef<T | null>(null)
  const loading = ref(true)
  const error = shallowRef<Refusal | null>(null)
  const stale = ref(false)
  let turn = 0

  async function load(): Promise<void> {
    const mine = ++turn
    const owner = session.me.value?.number ?? ''
    error.value = null
    if (value.value === null) loading.value = true
    if (name && value.value === null) {
      const before = await kept<T>(name, owner)
      if (before !== undefined && mine === turn && value.value === null) {
        value.value = before
        stale.value = true
        loading.value = false
      }
    }
    try {
      const fresh = await fetch()
      if (mine !== turn) return
      value.value = fresh
      stale.value = false
      session.setOffline(false)
      if (name) void keep(name, owner, fresh)
    } catch (e) {
      if (mine !== turn) return
      const refusal = refusalOf(e)
      if (refusal.offline) session.setOffline(true)
      if (refusal.status === 404) value.value = null // what was kept is gone
      if (value.value === null) error.value = refusal
    } finally {
      if (mine === turn) loading.value = false
    }
  }
  return { value, loading, error, stale, load }
}
