// People that this visit has come across, so that a number can be shown as a name.

import { reactive } from 'vue'
import type { PersonRef } from '@shared/types'

export const knownPeople = reactive(new Map<string, PersonRef>())

/** Keeps a person in mind. */
export function remembered(person: PersonRef): void {
  knownPeople.set(person.number, person)
}

/** Who did something, of what the trail calls them: a person is their number. */
export const actor = (by: string): string => by.replace(/^person /, '')
