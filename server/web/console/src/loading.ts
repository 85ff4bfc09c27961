// One thing that a page loads, with the states that a page must show.

import { ref, shallowRef, watch, type Ref, type ShallowRef, type WatchSource } from 'vue'
import { refusalOf, type Refusal } from '@shared/api'

export interface Loading<T> {
  /** The latest answer; kept while the next one is under way. */
  data: ShallowRef<T | null>
  busy: Ref<boolean>
  /** Why the latest call failed. */
  failed: ShallowRef<Refusal | null>
  reload(): Promise<void>
}

/** Loads now, and again whenever one of the sources changes. A late answer to an earlier call is dropped. */
export function useLoading<T>(ask: () => Promise<T>, sources?: WatchSource | WatchSource[]): Loading<T> {
  const data = shallowRef<T | null>(null)
  const busy = ref(false)
  const failed = shallowRef<Refusal | null>(null)
  let latest = 0
  async function reload(): Promise<void> {
    const mine = ++latest
    busy.value = true
    try {
      const answer = await ask()
      if (mine !== latest) return
      data.value = answer
      failed.value = null
    } catch (e) {
      if (mine === latest) failed.value = refusalOf(e)
    } finally {
      if (mine === latest) busy.value = false
    }
  }
  if (sources) watch(sources, reload)
  void reload()
  return { data, busy, failed, reload }
}
