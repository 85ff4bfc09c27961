// A list with its filters and its page in the address, as most areas have one.

import { computed, reactive, watch } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { get } from '@shared/api'
import type { List } from '@shared/types'
import { useLoading } from './loading'
import { asked, filtersOf, pageOf, queryOf, type Filters, type Paged } from './query'

/** Filters that live in the address. `usual` names them and what they are when nobody said anything. */
export function useFilters<F extends Filters>(usual: F) {
  const route = useRoute()
  const router = useRouter()
  const here = route.name
  const filters = computed<F>((old) => (route.name === here ? filtersOf(route.query, usual) : (old ?? usual)))

  // What is being typed; the address changes when it is asked for.
  const typed = reactive<Filters>({ ...filters.value })
  watch(filters, (now) => Object.assign(typed, now))
  const size = () => (route.query.size ? { size: route.query.size } : {}) // that of a page stays
  const go = (to: Filters) => router.push({ query: { ...queryOf(to, usual), ...size() } })
  return { filters, typed: typed as F, search: () => go(typed), reset: () => go(usual), here: () => route.name === here }
}

/** Rows of a path, page by page. */
export function useListing<T, F extends Filters>(path: string, usual: F, usualSize = 20) {
  const route = useRoute()
  const router = useRouter()
  const { filters, typed, search, reset, here } = useFilters(usual)
  const paged = computed<Paged>({
    get: () => pageOf(route.query, usualSize),
    set: (now) => void router.push({ query: queryOf(filters.value, usual, now, usualSize) }),
  })
  const list = useLoading(() => get<List<T>>(path, asked(filters.value, paged.value)), () => (here() ? route.fullPath : ''))
  const rows = computed(() => list.data.value?.items ?? [])
  const total = computed(() => list.data.value?.total)
  return { filters, paged, list, rows, total, typed, search, reset }
}
