// Filters of a list live in the address, so that a reload, the way back and a
// new sign-in find the same list.

import type { LocationQuery, LocationQueryRaw } from 'vue-router'

/** What a list is asked for: text values by the names of the interface. */
export type Filters = Record<string, string>

/** A page of a list. */
export interface Paged {
  page: number
  size: number
}

/** The sizes that are offered; the first is the usual one. */
export const sizes = [10, 20, 50, 100] as const

const first = (value: LocationQuery[string] | undefined) => (Array.isArray(value) ? value[0] : value) ?? ''

/** The filters of these names in an address; "" where there is none. */
export function filtersOf<F extends Filters>(query: LocationQuery, usual: F): F {
  return Object.fromEntries(Object.entries(usual).map(([name, value]) => [name, first(query[name]) || value])) as F
}

/** Page and size in an address. What makes no sense is the first page, or the usual size. */
export function pageOf(query: LocationQuery, usual: number = sizes[0]): Paged {
  const page = Number(first(query.page))
  const size = Number(first(query.size))
  return {
    page: Number.isInteger(page) && page > 0 ? page : 1,
    size: sizes.some((one) => one === size) ? size : usual,
  }
}

/** The address of filters and page: only what differs from the usual. */
export function queryOf<F extends Filters>(filters: F, usual: F, paged?: Paged, usualSize: number = sizes[0]): LocationQueryRaw {
  const query: LocationQueryRaw = {}
  for (const [name, value] of Object.entries(filters)) {
    const said = value.trim()
    if (said && said !== usual[name]) query[name] = said
  }
  if (paged && paged.page > 1) query.page = String(paged.page)
  if (paged && paged.size !== usualSize) query.size = String(paged.size)
  return query
}

/** Filters under the names of the interface: dates as they are, no empty ones. */
export function asked(filters: Filters, paged: Paged): Record<string, string | number> {
  const set = Object.entries(filters).filter(([, value]) => value.trim() !== '')
  return { ...Object.fromEntries(set.map(([name, value]) => [name, value.trim()])), ...paged }
}
