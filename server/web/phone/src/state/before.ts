// A list, newest first, of which each answer says where the next one begins.

import { refusalOf, type Refusal } from '@shared/api'
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'

export interface Older<T> {
  items: ShallowRef<T[]>
  loading: Ref<boolean>
  growing: Ref<boolean>
  error: ShallowRef<Refusal | null>
  complete: ComputedRef<boolean>
  /** Begins anew with the newest; what is shown stays until they are there. */
  reload(): Promise<void>
  more(): Promise<void>
}

/** Loads with fetch, whose before is 0 for the newest; next 0 = there are no older ones. */
export function useOlder<T>(fetch: (before: number) => Promise<{ items: T[]; next: number }>): Older<T> {
  const items = shallowRef<T[]>([])
  const loading = ref(true)
  const growing = ref(false)
  const error = shallowRef<Refusal | null>(null)
  const next = ref(0)
  let turn = 0

  async function take(before: number): Promise<void> {
    const mine = ++turn
    error.value = null
    try {
      const answer = await fetch(before)
      if (mine !== turn) return
      items.value = before ? [...items.value, ...answer.items] : answer.items
      next.value = answer.next
    } catch (e) {
      if (mine === turn) error.value = refusalOf(e)
    } finally {
      if (mine === turn) loading.value = growing.value = false
    }
  }

  return {
    items, loading, growing, error,
    complete: computed(() => next.value === 0),
    async reload() {
      loading.value = items.value.length === 0
      await take(0)
    },
    async more() {
      if (growing.value || loading.value || !next.value) return
      growing.value = true
      await take(next.value)
    },
  }
}
