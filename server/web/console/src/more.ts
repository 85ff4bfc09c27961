// A list that goes on: its first rows, and those after them when they are asked for.

import { computed, ref, shallowRef, watch, type WatchSource } from 'vue'
import { refusalOf } from '@shared/api'
import { useLoading } from './loading'
import { tellRefusal } from './tell'

/** Some rows, and where the next ones begin; 0 or "" = there are none. */
export interface Piece<T> {
  rows: T[]
  next: string | number
}

/** Loads the first rows now and whenever a source changes; `more` adds the next. */
export function useMore<T>(ask: (after: string | number) => Promise<Piece<T>>, sources?: WatchSource | WatchSource[]) {
  const list = useLoading(() => ask(''), sources)
  const further = shallowRef<Piece<T> | null>(null)
  watch(list.data, () => (further.value = null))
  const rows = computed<T[]>(() => [...(list.data.value?.rows ?? []), ...(further.value?.rows ?? [])])
  const next = computed(() => (further.value ?? list.data.value)?.next || '')
  const adding = ref(false)
  async function more(): Promise<void> {
    const first = list.data.value
    if (!next.value || adding.value) return
    adding.value = true
    try {
      const piece = await ask(next.value)
      // A list that has begun anew meanwhile does not go on with these.
      if (first === list.data.value) further.value = { rows: [...(further.value?.rows ?? []), ...piece.rows], next: piece.next }
    } catch (e) {
      tellRefusal(refusalOf(e))
    } finally {
      adding.value = false
    }
  }
  return { list, rows, next, adding, more }
}
