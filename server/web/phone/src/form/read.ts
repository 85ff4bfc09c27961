// A field's value as people read it.

import { isFile } from '@shared/forms'
import { stamp, yuan } from '@shared/format'
import type { Attachment, FilledField, FormField } from '@shared/types'
import { textOf as said } from '@shared/words'
import { session } from '../state/session'
import { fileName, knowFiles } from './files'
import { personName } from './names'
import type { Read } from './ReadFields.vue'
import { optionName } from './words'

/** The files that a value names: ids, or what the server says of them. */
export function filesOf(field: Pick<FormField, 'type'>, value: unknown): Attachment[] | undefined {
  if (field.type !== 'file' && field.type !== 'image') return undefined
  const all = (Array.isArray(value) ? value : value ? [value] : []) as (string | Attachment)[]
  knowFiles(all.filter((f): f is Attachment => typeof f === 'object'))
  return all.map((f) => (typeof f === 'object' ? f : fileName(f)))
}

/** A field that the server has filled in, on a form that is new. */
export function readOf(field: FormField | FilledField): Read {
  if (isFile(field)) return { field, text: '', files: filesOf(field, field.value) }
  return { field, text: said(field) || textOf(field) }
}

function textOf(field: FormField): string {
  const one = (v: unknown): string => {
    if (v === null || v === undefined || v === '') return ''
    switch (field.type) {
      case 'money':
        return typeof v === 'number' ? yuan(v) : String(v)
      case 'datetime':
        return stamp(String(v))
      case 'unit':
        return session.me.value?.unit?.id === v ? session.me.value.unit.name : String(v)
      case 'user':
        return session.me.value?.number === v ? session.me.value.name : personName(String(v))
      case 'select': {
        const option = field.options?.find((o) => o.value === v) ?? { value: String(v), label: String(v) }
        return optionName(option)
      }
      default:
        return String(v)
    }
  }
  return Array.isArray(field.value) ? field.value.map(one).join(', ') : one(field.value)
}

/** Who the matter is about: shown apart from what it asks for. */
export function isBasic(field: FormField): boolean {
  return Boolean(field.readonly) && field.type !== 'datetime'
}
