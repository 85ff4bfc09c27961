// People and places as the administration's lists tell of them.

import type { Household, ImportPreview, PersonKind, Post, Unit } from '@shared/types'

export const kindsOfPeople: readonly PersonKind[] = ['staff', 'contract', 'worker', 'retired', 'student', 'resident', 'outside']
export const levels = ['undergraduate', 'graduate', 'foreign'] as const

export interface Role { role: string; name: string }
export interface Gate { id: number; name: string }
export type HeldPost = Post & { person_name: string; unit_name: string }
export type Home = Omit<Household, 'members'> & { campus: string; members: (Household['members'][number] & { since: string })[] }

export interface CampusPlaces { id: string; name: string; zone: number; police: string; compounds: CompoundPlaces[] }
export interface CompoundPlaces { id: number; name: string; on_campus: boolean; buildings: BuildingPlaces[] }
export interface BuildingPlaces { id: number; name: string; rooms: { id: number; name: string }[] }

export type Looked = Omit<ImportPreview, 'kind'> & { kind: string; faulty: number; columns: string[] | null }

/** A unit with how deep it lies. */
export type Placed = Unit & { depth: number }

/** Units from the top down, each after the one above it. One whose parent is unknown, or its own, stands at the top. */
export function ordered(units: readonly Unit[]): Placed[] {
  const known = new Set(units.map((unit) => unit.id))
  const under = new Map<string, Unit[]>()
  for (const unit of units) {
    const parent = known.has(unit.parent) && unit.parent !== unit.id ? unit.parent : ''
    under.set(parent, [...(under.get(parent) ?? []), unit])
  }
  const out: Placed[] = []
  const seen = new Set<string>()
  const walk = (parent: string, depth: number): void => {
    for (const unit of under.get(parent) ?? []) {
      if (seen.has(unit.id)) continue
      seen.add(unit.id)
      out.push({ ...unit, depth })
      walk(unit.id, depth + 1)
    }
  }
  walk('', 0)
  for (const unit of units) { // a ring hangs on nothing
    if (seen.has(unit.id)) continue
    seen.add(unit.id)
    out.push({ ...unit, depth: 0 })
    walk(unit.id, 1)
  }
  return out
}
