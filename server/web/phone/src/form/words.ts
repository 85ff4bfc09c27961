// How fields and faults are worded.

import type { Fault } from '@shared/forms'
import { pick } from '@shared/lang'
import type { FormField, Option } from '@shared/types'
import { t, tryWord } from '../i18n'

export const fieldName = (f: { name: string; en?: string }): string => pick(f.name, f.en)

/** Options of the shipped forms are words of the interface; the server may give labels. */
export function optionName(o: Option): string {
  if (o.label && o.label !== o.value) return pick(o.label, o.en)
  return tryWord('type_' + o.value, pick(o.value, o.en))
}

const typed = new Set(['text', 'textarea', 'richtext', 'number', 'money', 'phone'])

export function faultText(f: FormField, fault: Fault | undefined): string {
  if (!fault) return ''
  const name = fieldName(f)
  switch (fault.kind) {
    case 'required':
      return typed.has(f.type) ? t('form_required', { name }) : t('form_required_choose', { name })
    case 'too_long':
      return t('form_too_long', { n: fault.n ?? 0 })
    case 'number':
      return t('form_bad_number')
    case 'money':
      return t('form_bad_money')
    case 'phone':
      return t('form_bad_phone')
    case 'order':
      return t('form_bad_order')
    default:
      return fault.text ?? ''
  }
}
