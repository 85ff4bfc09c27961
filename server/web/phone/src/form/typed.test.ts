import type { FieldType, FormField } from '@shared/types'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { forgetTyped, keepable, keepTyped, typed } from './typed'

const field = (id: string, type: FieldType, readonly = false): FormField => ({ id, name: id, type, required: false, readonly })

beforeEach(() => {
  const kept = new Map<string, string>()
  const storage = {
    getItem: (k: string) => kept.get(k) ?? null,
    setItem: (k: string, v: string) => void kept.set(k, v).forEach((value, key) => Object.defineProperty(storage, key, { value, enumerable: true, configurable: true })),
    removeItem: (k: string) => (kept.delete(k), delete (storage as Record<string, unknown>)[k]),
  }
  for (const name of ['getItem', 'setItem', 'removeItem']) Object.defineProperty(storage, name, { enumerable: false })
  vi.stubGlobal('localStorage', storage)
})

describe('what was typed', () => {
  it('is kept without phones, identity numbers, files and what the server filled in', () => {
    const form = [field('no', 'text', true), field('contact', 'phone'), field('reason', 'textarea'), field('about', 'text'), field('id', 'text'), field('scan', 'image'), field('date', 'date')]
    const values = { no: 'T1', contact: '13800130001', reason: '探亲', about: '电话 138 0013 0001', id: '50010119800101123x', scan: 'f1', date: '2026-05-01' }
    expect(keepable(form, values)).toEqual({ reason: '探亲', date: '2026-05-01' })
  })
  it('comes back to its own person only, until it is forgotten', () => {
    keepTyped('flow', 'T1', { reason: 'x' })
    keepTyped('other', 'T1', { reason: 'y' })
    expect(typed('flow', 'T1')).toEqual({ reason: 'x' })
    expect(typed('flow', 'T2')).toBeNull()
    forgetTyped('flow')
    expect([typed('flow', 'T1'), typed('other', 'T1')]).toEqual([null, { reason: 'y' }])
    forgetTyped()
    expect(typed('other', 'T1')).toBeNull()
  })
})
