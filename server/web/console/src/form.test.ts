import { describe, expect, it } from 'vitest'
import { Refusal } from '@shared/api'
import type { FormField } from '@shared/types'
import { changed, check, faultsOf, length, nameOf, outside } from './form'
import { acceptable, fileKinds, imageKinds } from './files'
import { named } from './learn'
import { asTree, withPaths } from './lookup'
import { passwordFault } from './pages/login/password'
import { grouped } from './pages/start/services'
import './words'

const field = (id: string, more: Partial<FormField> = {}): FormField => ({ id, name: id, type: 'text', required: false, ...more })

describe('a form', () => {
  it('CQ-067 says in words what is wrong, and where', () => {
    const fields = [field('reason', { type: 'textarea', max: 1000 }), field('head', { required: true })]
    expect(check('cqu.work_pass', fields, { reason: '字'.repeat(1001), head: ' ' })).toEqual({ reason: '不能超过 1000 个字', head: '必填' })
    expect(check('cqu.work_pass', fields, { reason: '字'.repeat(1000), head: '林' })).toEqual({})
  })
  it('CQ-046 clears building and room with the compound, and the room with the building', () => {
    const form = { compound: '青松苑', building: '1 栋', room: '101', head: '林' }
    expect(changed(form, 'compound', '明湖里')).toEqual({ compound: '明湖里', building: '', room: '', head: '林' })
    expect(changed(form, 'building', '2 栋')).toEqual({ ...form, building: '2 栋', room: '' })
    expect(changed(form, 'compound', '青松苑')).toEqual(form)
    expect(changed({ head: '' }, 'head', '林')).toEqual({ head: '林' })
  })
  it('CQ-047 offers the days that may be applied for', () => {
    const limits = { first_date: '2026-05-01', last_date: '2026-05-03' }
    expect(['2026-04-30', '2026-05-01', '2026-05-03', '2026-05-04'].map((day) => outside('date', day, limits))).toEqual([true, false, false, true])
    expect([outside('end', '2026-04-30', limits), outside('end', '2027-01-01', limits), outside('start', '2026-04-01', limits), outside('date', '1999-01-01', null)]).toEqual([true, false, false, false])
    expect(outside('date', '2027-01-01', { ...limits, last_date: '' })).toBe(false)
  })
  it('puts a refusal to the field that it names, if it is there', () => {
    const refused = new Refusal('REQUIRED', '请填写申请原因', 422, { field: 'reason' })
    expect(faultsOf(refused, [field('reason')])).toEqual({ reason: '请填写申请原因' })
    expect(faultsOf(refused, [field('other')])).toEqual({})
    expect(faultsOf(new Refusal('PAPER_PASS_HELD', '…', 409), [field('reason')])).toEqual({})
  })
  it('counts characters as people do', () => {
    expect([length('字a😀'), length('')]).toEqual([3, 0])
  })
  it('names a field in Chinese where there is no English', () => {
    expect(nameOf({ name: '户主姓名', en: 'Head' })).toBe('户主姓名')
  })
})

describe('files', () => {
  it('are taken by their kind', () => {
    for (const name of ['a.pdf', 'B.DOCX', '图.x.png']) expect(acceptable(name, fileKinds), name).toBe(true)
    for (const name of ['a.exe', 'a', '.pdf', 'a.pdf.html', 'a.svg']) expect(acceptable(name, fileKinds), name).toBe(false)
    expect(acceptable('a.pdf', imageKinds)).toBe(false)
  })
  it('get their names only where ids and names fit together', () => {
    expect(named(['f1', 'f2'], 'a.pdf、b.png')).toEqual([['f1', 'a.pdf'], ['f2', 'b.png']])
    expect(named('f1', 'a、b.pdf')).toEqual([['f1', 'a、b.pdf']])
    expect(named(['f1', 'f2'], 'a、b、c')).toEqual([])
    expect(named(null, '')).toEqual([])
  })
})

describe('ZA-022 units', () => {
  const units = [{ id: 'u1', name: '大学', parent: '' }, { id: 'u2', name: '教务处', parent: 'u1' }, { id: 'u3', name: '孤儿', parent: 'gone' }]
  it('stand in a tree, those without a known parent at its top', () => {
    expect(asTree(units)).toEqual([{ id: 'u1', label: '大学', children: [{ id: 'u2', label: '教务处', children: [] }] }, { id: 'u3', label: '孤儿', children: [] }])
  })
  it('have a path, also where data is a ring', () => {
    expect(withPaths(units).map((u) => u.path)).toContain('大学 / 教务处')
    expect(withPaths([{ id: 'a', name: '甲', parent: 'b' }, { id: 'b', name: '乙', parent: 'a' }]).map((u) => u.path).sort()).toEqual(['乙 / 甲', '甲 / 乙'].sort())
  })
})

describe('services', () => {
  const service = (id: string, name: string, office: string, group: string) => ({ id, name, office, group, version: 1 })
  const all = [service('a', '校区工作通行证', '保卫处', '校园通行'), service('b', '用印申请', '党政办', ''), service('c', '公务车通行申请', '保卫处', '校园通行')]
  it('CM-027 are found by every word typed, in name or office, by group', () => {
    expect(grouped(all, '').map((g) => [g.name, g.services.length])).toEqual([['校园通行', 2], ['党政办', 1]])
    expect(grouped(all, '通行 工作').flatMap((g) => g.services.map((s) => s.id))).toEqual(['a'])
    expect(grouped(all, '没有')).toEqual([])
  })
})

describe('CM-051 a password', () => {
  it.each([['too-short', '', 'password_short'], ['Correct-horse', 'Correct-horse', 'password_same'], ['Correct-horse', 'other', ''], ['密码足够长就可以了吧', '', ''], ['😀😀😀😀😀', '', 'password_short']])(
    '%s', (password, old, want) => expect(passwordFault(password, old)).toBe(want))
})
