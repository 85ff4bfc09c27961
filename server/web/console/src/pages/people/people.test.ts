import { describe, expect, it } from 'vitest'
import '../../words'
import type { Person, Unit } from '@shared/types'
import { personChange, personFields } from './form'
import { ordered } from './shapes'
import './words'

const unit = (id: string, parent: string): Unit => ({ id, name: id, parent, kind: '', campus: '', head: '' })
const person: Person = {
  number: '2013044', name: '韩峰', kind: 'worker', level: '', unit: { id: 'u5', name: '外国语学院' }, phone: '13*******21', id_number: '51****1X', mail: '', state: 'active', posts: [], households: [],
}

describe('units', () => {
  it('stand below the one above them, however they come', () => {
    expect(ordered([unit('c', 'b'), unit('a', ''), unit('b', 'a'), unit('x', 'gone')]).map((one) => one.id + one.depth)).toEqual(['a0', 'b1', 'c2', 'x0'])
  })
  it('are each there once although they hang on each other', () => {
    expect(ordered([unit('a', 'b'), unit('b', 'a'), unit('s', 's')]).map((one) => one.id).sort()).toEqual(['a', 'b', 's'])
  })
})

describe('a change of a person', () => {
  const form = { name: '韩峰', kind: 'worker', level: '', unit: 'u5', mail: '', state: 'active', phone: '', id_number: '' }
  it('says what differs and leaves out the masked numbers unless they were typed', () => {
    expect(personChange(person, form)).toEqual({})
    expect(personChange(person, { ...form, unit: '', phone: '13800130001' })).toEqual({ unit: '', phone: '13800130001' })
  })
  it('never puts a masked number into the form', () => {
    for (const one of personFields('change')) if (one.id === 'phone' || one.id === 'id_number') expect(one.value).toBeUndefined()
    expect(personFields('change').some((one) => one.id === 'number')).toBe(false)
  })
})
