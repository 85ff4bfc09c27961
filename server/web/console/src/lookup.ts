// Units and places, as forms and the people picker need them. They change
// rarely: each is asked for once a visit.

import { get } from '@shared/api'
import type { Items, UnitNode } from '@shared/types'

export interface UnitPath extends UnitNode {
  /** Its name after those above it, "云岭大学 / 教务处". */
  path: string
}

export interface UnitBranch {
  id: string
  label: string
  children: UnitBranch[]
}

/** Units with their paths, ordered by these. Damaged data (a ring) is cut. */
export function withPaths(units: readonly UnitNode[]): UnitPath[] {
  const byId = new Map(units.map((unit) => [unit.id, unit]))
  const path = (unit: UnitNode, seen: readonly string[]): string => {
    const above = seen.includes(unit.parent) ? undefined : byId.get(unit.parent)
    return above ? `${path(above, [...seen, unit.id])} / ${unit.name}` : unit.name
  }
  return units.map((unit) => ({ ...unit, path: path(unit, [unit.id]) })).sort((a, b) => a.path.localeCompare(b.path, 'zh'))
}

/** Units as a tree; one whose parent is unknown stands at the top. */
export function asTree(units: readonly UnitNode[]): UnitBranch[] {
  const branches = new Map(units.map((unit): [string, UnitBranch] => [unit.id, { id: unit.id, label: unit.name, children: [] }]))
  const top: UnitBranch[] = []
  for (const unit of units) {
    const branch = branches.get(unit.id)
    if (branch) (branches.get(unit.parent)?.children ?? top).push(branch)
  }
  return top
}

let units: Promise<UnitNode[]> | undefined

/** All units; asked for once, again after a failure. */
export function allUnits(): Promise<UnitNode[]> {
  units ??= get<Items<UnitNode>>('/units/tree').then((answer) => answer.items)
  units.catch(() => (units = undefined))
  return units
}

export const unitPaths = async (): Promise<UnitPath[]> => withPaths(await allUnits())

/** Buildings of a compound, or rooms of a building in a compound. */
export async function placesBelow([compound, building]: readonly string[]): Promise<string[]> {
  return (await get<Items<string>>('/places/options', { compound, building })).items
}
