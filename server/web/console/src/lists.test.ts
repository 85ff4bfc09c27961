import { describe, expect, it } from 'vitest'
import { readChoice, shown, type Column } from './columns'
import { asked, filtersOf, pageOf, queryOf } from './query'
import { cell, csv } from './sheet'

const column = (id: string, more: Partial<Column<string>> = {}): Column<string> => ({ id, word: id, text: (row) => row, ...more })
const all = [column('seq', { always: true }), column('title'), column('unit', { usual: false })]
const ids = (columns: readonly Column<string>[]) => columns.map((c) => c.id)

describe('CQ-075 自定义列', () => {
  it('shows the usual columns until somebody chooses', () => {
    expect(ids(shown(all, null))).toEqual(['seq', 'title'])
  })
  it('keeps the order of the table and what must always be there', () => {
    expect(ids(shown(all, new Set(['unit', 'title'])))).toEqual(['seq', 'title', 'unit'])
    expect(ids(shown(all, new Set()))).toEqual(['seq'])
  })
  it('remembers, and forgets columns that are gone', () => {
    expect(readChoice(null, all)).toBeNull()
    expect(readChoice('unit,gone', all)).toEqual(new Set(['unit']))
    expect(readChoice('', all)).toEqual(new Set())
    for (const broken of ['-', 'gone', '__proto__', '<script>']) expect(readChoice(broken, all)).toBeNull()
  })
})

describe('CM-021 filters', () => {
  const usual = { flow: '', q: '', from: '', to: '', state: '' }
  it('stand in the address, the usual ones not', () => {
    const filters = { ...usual, q: ' 用印 ', state: 'running' }
    expect(queryOf(filters, usual, { page: 3, size: 20 })).toEqual({ q: '用印', state: 'running', page: '3', size: '20' })
    expect(queryOf(usual, usual, { page: 1, size: 10 })).toEqual({})
  })
  it('come back from it', () => {
    expect(filtersOf({ q: '用印', state: ['running', 'draft'], other: 'x' }, usual)).toEqual({ ...usual, q: '用印', state: 'running' })
    expect(filtersOf({ q: null }, usual)).toEqual(usual)
  })
  it('are asked for without the empty ones', () => {
    expect(asked({ ...usual, from: '2026-05-01' }, { page: 2, size: 10 })).toEqual({ from: '2026-05-01', page: 2, size: 10 })
  })
})

describe('CM-019 paging', () => {
  it.each([
    ['', '', 1, 10], ['3', '20', 3, 20], ['0', '0', 1, 10], ['-1', '7', 1, 10], ['2.5', '1e9', 1, 10], ['x', 'NaN', 1, 10], ['9999999', '100', 9999999, 100],
  ])('page %s of %s', (page, size, wantPage, wantSize) => {
    expect(pageOf({ page, size })).toEqual({ page: wantPage, size: wantSize })
  })
})

describe('CQ-075 导出', () => {
  it('is UTF-8 that spreadsheets know as such, line by line', () => {
    expect(csv([['学工号', '申请人'], ['2019103', '林晓岚']])).toBe('\ufeff学工号,申请人\r\n2019103,林晓岚\r\n')
  })
  it.each([['=1+1', "'=1+1"], ['@SUM(A1)', "'@SUM(A1)"], ['+86 138', "'+86 138"], ['-2', "'-2"], ['\tx', "'\tx"], ['\rx', '"\'\rx"']])('runs no formula: %j', (text, want) => {
    expect(cell(text)).toBe(want)
  })
  it('keeps quotes, commas and lines within their cell', () => {
    expect([cell('a"b'), cell('a,b'), cell('a\nb'), cell(' a'), cell('')]).toEqual(['"a""b"', '"a,b"', '"a\nb"', '" a"', ''])
  })
})
