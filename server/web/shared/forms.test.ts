import { describe, expect, it } from 'vitest'
import { answers, beginning, faultsOf, isRequired, isShown, numberOf } from './forms'
import type { FieldType, FormField } from './types'

const field = (id: string, type: FieldType, more: Partial<FormField> = {}): FormField => ({ id, name: id, type, required: false, ...more })

const flow = 'cqu.resident_pass'
const resident = [
  field('phone', 'phone', { readonly: true, value: '138****0001' }),
  field('type', 'select', { required: true }),
  field('head', 'text', { required: true }),
  field('date', 'date', { required: true }),
  field('to', 'date', { required_if: false, required_when: 'form.type == "multi"' }),
  field('reason', 'textarea', { max: 1000, required_if: false, required_when: 'form.type == "multi"' }),
]

describe('the resident form', () => {
  it('CQ-044 CQ-050 asks for reason and last day as soon as the type is multiple', () => {
    const single = { type: 'single' }
    const multi = { type: 'multi' }
    expect(resident.filter((f) => isRequired(f, single)).map((f) => f.id)).toEqual(['type', 'head', 'date'])
    expect(resident.filter((f) => isRequired(f, multi)).map((f) => f.id)).toEqual(['type', 'head', 'date', 'to', 'reason'])
    expect(isShown(flow, resident[4]!, single)).toBe(false)
    expect(isShown(flow, resident[4]!, multi)).toBe(true)
  })
  it('leaves conditions that it cannot read to the server', () => {
    const on = (required_when: string, required_if: boolean) => isRequired(field('a', 'text', { required_when, required_if }), { b: 'x' })
    expect([on('form.b != "x"', true), on('form.b!="y"', false)]).toEqual([false, true])
    expect([on('len(form.b) > 3', true), on('len(form.b) > 3', false)]).toEqual([true, false])
  })
  it('CQ-067 takes 1000 characters, counted as people count them', () => {
    const ok = { type: 'multi', head: '林', date: '2026-05-01', to: '2026-05-02', reason: '😀'.repeat(1000) }
    expect(faultsOf(flow, resident, ok)).toEqual({})
    expect(faultsOf(flow, resident, { ...ok, reason: '字'.repeat(1001) })).toEqual({ reason: { kind: 'too_long', n: 1000 } })
  })
  it('refuses a last day before the first, and blanks where something must be', () => {
    expect(faultsOf(flow, resident, { type: 'multi', head: '  ', date: '2026-05-03', to: '2026-05-01', reason: 'x' })).toEqual({
      head: { kind: 'required' }, to: { kind: 'order' },
    })
  })
  it('sends neither what the server fills in nor what is hidden or empty', () => {
    expect(answers(flow, resident, { phone: 'x', type: 'single', head: '林', date: '2026-05-01', to: '2026-05-02', reason: '' })).toEqual({
      type: 'single', head: '林', date: '2026-05-01',
    })
  })
})

describe('any form', () => {
  it('begins with what the server filled in', () => {
    expect(beginning([field('a', 'text', { value: 'x' }), field('b', 'file', { many: true }), field('c', 'date')])).toEqual({ a: 'x', b: [], c: null })
  })
  it('keeps what is no number, so that it is refused and not lost', () => {
    const n = field('n', 'number')
    const m = field('m', 'money')
    expect([numberOf(n, ' 12.5 '), numberOf(n, '=1+1'), numberOf(n, ''), numberOf(m, '12.5'), numberOf(m, '1.234')]).toEqual([12.5, '=1+1', null, 1250, '1.234'])
    expect(faultsOf('x', [n, m], { n: '=1+1', m: '1.234' })).toEqual({ n: { kind: 'number' }, m: { kind: 'money' } })
  })
  it('takes a phone number only of its characters', () => {
    const p = field('p', 'phone')
    expect(faultsOf('x', [p], { p: '+86 138-0013-0001' })).toEqual({})
    expect(faultsOf('x', [p], { p: '<script>' })).toEqual({ p: { kind: 'phone' } })
  })
})
