// The names of people and units behind the numbers in a form.

import { get } from '@shared/api'
import type { Items, PersonRef, UnitNode } from '@shared/types'
import { reactive } from 'vue'

const people = reactive(new Map<string, string>())

export function knowPeople(found: readonly PersonRef[]): void {
  for (const p of found) people.set(p.number, p.name)
}

/** The name of a person that was chosen or shown here, else the number. */
export const personName = (number: string): string => people.get(number) ?? number

let tree: Promise<UnitNode[]> | undefined

/** All units; asked for once. */
export function units(): Promise<UnitNode[]> {
  tree ??= get<Items<UnitNode>>('/units/tree').then((a) => a.items)
  tree.catch(() => (tree = undefined))
  return tree
}
