// A list that comes page by page.

import { refusalOf, type Refusal } from '@shared/api'
import type { List } from '@shared/types'
import { computed, ref, shallowRef, type ComputedRef, type Ref, type ShallowRef } from 'vue'

export interface Pages<T> {
  items: ShallowRef<T[]>
  total: Ref<number>
  /** Whether the first page is on its way and nothing is shown. */
  loading: Ref<boolean>
  /** Whether a further page is on its way. */
  growing: Ref<boolean>
  error: ShallowRef<Refusal | null>
  complete: ComputedRef<boolean>
  /** Loads the first page. What is shown stays until it is there, unless clear. */
  reload(clear?: boolean): Promise<void>
  more(): Promise<void>
}

export function usePages<T, A extends List<T> = List<T>>(
  fetch: (page: number) => Promise<A>,
  seen?: (answer: A) => void,
): Pages<T> {
  const items = shallowRef<T[]>([])
  const total = ref(0)
  const loading = ref(true)
  const growing = ref(false)
  const error = shallowRef<Refusal | null>(null)
  const complete = computed(() => items.value.length >= total.value)
  let page = 0
  let turn = 0

  async function take(next: number): Promise<void> {
    const mine = ++turn
    error.value = null
    try {
      const answer = await fetch(next)
      if (mine !== turn) return
      page = next
      items.value = next === 1 ? answer.items : [...items.value, ...answer.items]
      total.value = answer.items.length ? answer.total : items.value.length
      seen?.(answer)
    } catch (e) {
      if (mine === turn) error.value = refusalOf(e)
    } finally {
      if (mine === turn) loading.value = growing.value = false
    }
  }

  return {
    items, total, loading, growing, error, complete,
    async reload(clear = false) {
      if (clear) items.value = []
      loading.value = items.value.length === 0
      await take(1)
    },
    async more() {
      if (growing.value || loading.value || complete.value) return
      growing.value = true
      await take(page + 1)
    },
  }
}
