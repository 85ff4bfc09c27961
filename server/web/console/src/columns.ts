// Columns of tables, and which of them a person wants to see.

import { ref, type Ref } from 'vue'
import { recall, remember } from './memory'

/** A column of rows of type R. Pages may fill its cells with a slot of its id. */
export interface Column<R> {
  id: string
  /** Key of its heading. */
  word: string
  /** What stands in its cell where no slot does, and in an export. */
  text(row: R, index: number): string
  /** Shown although nobody asked for it; false = only if chosen. */
  usual?: boolean
  /** Always shown. */
  always?: boolean
  /** Least width, as CSS. */
  width?: string
  align?: 'right' | 'center'
  nowrap?: boolean
}

/** The columns of a table that are shown, in the table's order. */
export function shown<R>(all: readonly Column<R>[], choice: ReadonlySet<string> | null): Column<R>[] {
  return all.filter((c) => c.always || (choice ? choice.has(c.id) : c.usual !== false))
}

/** What was remembered of a table: null where nothing of it still exists. */
export function readChoice<R>(text: string | null, all: readonly Column<R>[]): Set<string> | null {
  if (text === null) return null
  const known = new Set(all.map((c) => c.id))
  const kept = text.split(',').filter((id) => known.has(id))
  return kept.length || text === '' ? new Set(kept) : null
}

/** The choice of a table by its name, remembered in this browser. Null = the usual columns. */
export function useChoice<R>(table: string, all: readonly Column<R>[]): { choice: Ref<Set<string> | null>; choose(to: Set<string> | null): void } {
  const choice = ref(readChoice(recall('columns-' + table), all))
  return {
    choice,
    choose(to) {
      choice.value = to
      remember('columns-' + table, to ? [...to].join(',') : '-')
    },
  }
}
