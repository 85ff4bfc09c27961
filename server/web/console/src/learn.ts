// Names that come with a matter, so that the ids in its forms can be shown.

import { knownFiles } from './files'
import { remembered } from './people'
import type { Matter } from './shapes'

/** Ids of a value with the names in its text, where both fit together. */
export function named(value: unknown, text: string): [id: string, name: string][] {
  const ids = Array.isArray(value) ? value.map(String) : value ? [String(value)] : []
  const names = ids.length > 1 ? text.split('、') : [text]
  return names.length === ids.length ? ids.map((id, at): [string, string] => [id, names[at] || id]) : []
}

/** Takes the names from a matter and gives it back. */
export function learn(matter: Matter): Matter {
  for (const file of matter.files ?? []) knownFiles.set(file.id, file)
  for (const field of [...matter.form, ...(matter.mine?.form ?? [])]) {
    if (field.type === 'user') for (const [number, name] of named(field.value, field.text)) remembered({ number, name, unit: '' })
  }
  return matter
}
