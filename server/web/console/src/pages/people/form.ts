// The forms of people, and the names of posts.

import { ref } from 'vue'
import { get } from '@shared/api'
import type { FormField, FormValues, Items, Person } from '@shared/types'
import { roleIn } from '@shared/words'
import { field, option } from '../../fields'
import { kindsOfPeople, levels, type Role } from './shapes'

/** The fields of somebody who is made, or changed. Phone and ID number are only written. */
export function personFields(what: 'new' | 'change'): FormField[] {
  return [
    ...(what === 'new' ? [field('number', 'person_number', 'text', { max: 64 })] : []),
    field('name', 'person_name', 'text', { required: true, max: 100 }),
    field('kind', 'person_kind', 'select', { required: true, options: kindsOfPeople.map((one) => option(one, 'kind_' + one)) }),
    field('level', 'person_level', 'select', { options: levels.map((one) => option(one, 'person_level_' + one)) }),
    field('unit', 'person_unit', 'unit'),
    field('phone', 'person_phone', 'phone'),
    field('id_number', 'person_id_number', 'text', { max: 32 }),
    field('mail', 'person_mail', 'text', { max: 254 }),
    ...(what === 'change' ? [field('state', 'person_state', 'select', { required: true, options: ['active', 'left'].map((one) => option(one, 'person_state_' + one)) })] : []),
  ]
}

/** What a change says: what differs, and of what cannot be read only what was typed. */
export function personChange(person: Person, form: FormValues): FormValues {
  const was: FormValues = { name: person.name, kind: person.kind, level: person.level, unit: person.unit.id, mail: person.mail, state: person.state, phone: '', id_number: '' }
  return Object.fromEntries(Object.entries(form).filter(([id, now]) => id in was && (now ?? '') !== was[id]))
}

let asked: Promise<Role[]> | undefined

/** The posts that there are; asked for once, again after a failure. */
export function roles(): Promise<Role[]> {
  asked ??= get<Items<Role>>('/roles').then((answer) => answer.items)
  asked.catch(() => (asked = undefined))
  return asked
}

/** Names of posts, as soon as they are known. */
export function wordsOf() {
  const known = ref(new Map<string, string>())
  roles().then((all) => (known.value = new Map(all.map((one) => [one.role, one.name]))), () => undefined)
  return { roleName: (role: string): string => roleIn(role, known.value.get(role) ?? role) }
}
