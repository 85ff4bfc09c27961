// A list with its filters and its page in the address, as most areas have one.

import { computed, reactive, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { get } from '@shared/api'
import type { List } from '@shared/types'
import { useLoading } from './loading'
import { asked, filtersOf, pageOf, queryOf, type Filters, type Paged } from './query'

/** Rows of a path. `usual` names the filters and what they are when nobody said anything. */
export function useListing<T, F extends Filters>(path: string, usual: F, usualSize = 20) {
  const route = useRoute()
  const router = useRouter()
  const here = route.name
  const filters = computed<F>((old) => (route.name === here ? filtersOf(route.query, usual) : (old ?? usual)))
  const paged = computed<Paged>({
    get: () => pageOf(route.query, usualSize),
    set: (now) => void router.push({ query: queryOf(filters.value, usual, now, usualSize) }),
  })
  const list = useLoading(() => get<List<T>>(path, asked(filters.value, paged.value)), () => (route.name === here ? route.fullPath : ''))
  const rows = computed(() => list.data.value?.items ?? [])
  const total = computed(() => list.data.value?.total)

  // What is being typed; the address changes when it is asked for.
  const typed = reactive<Filters>({ ...filters.value })
  watch(filters, (now) => Object.assign(typed, now))
  const go = (to: Filters) => router.push({ query: queryOf(to, usual, { page: 1, size: paged.value.size }, usualSize) })
  const search = () => go(typed)
  const reset = () => go(usual)
  return { filters, paged, list, rows, total, typed: typed as F, search, reset }
}
