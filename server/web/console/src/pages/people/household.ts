// The forms of households.

import type { FormField, Option } from '@shared/types'
import { field } from '../../fields'

/** Where a household is and under whom. A building or room that is new comes to be. */
export const householdFields = (compounds: Option[]): FormField[] => [
  field('compound', 'house_compound', 'select', { required: true, options: compounds }),
  field('building', 'house_building', 'text', { required: true, max: 50 }),
  field('room', 'house_room', 'text', { required: true, max: 50 }),
  field('head', 'house_head', 'text', { required: true, max: 100 }),
]

/** Who is put into a household: somebody known by a number, or a new resident. */
export const memberFields = (): FormField[] => [
  field('name', 'person_name', 'text', { max: 100 }),
  field('phone', 'person_phone', 'phone'),
  field('id_number', 'person_id_number', 'text', { max: 32 }),
  field('person', 'person_number', 'text', { max: 64 }),
  field('relation', 'house_relation', 'text', { max: 50 }),
  field('since', 'house_since', 'date'),
]
