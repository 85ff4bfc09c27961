import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { begins, choices, CHOICE_KEYS, outlook, rulesBeside, toggled } from './papers'
import type { DocumentChoice, Rule, Texts } from './types'

interface Guideline {
  documents: (Omit<DocumentChoice, 'label'> & { name: DocumentChoice['label'] })[]
  rules: Rule[]
}
const guideline = JSON.parse(readFileSync(new URL('../../console/testdata/guideline.json', import.meta.url), 'utf8')) as Guideline
const texts: Texts = {
  reasons: { zh: {}, en: {} },
  documents: guideline.documents.map(({ name, ...d }) => ({ ...d, label: name })),
  rules: guideline.rules,
  addresses: [],
}
const ids = (list: DocumentChoice[]): string[] => list.map((d) => d.id)
const rule = (id: string): Rule => texts.rules.find((r) => r.id === id)!

describe('the choices beside a pass', () => {
  it('CQ-009 are few for a work pass, the work permit first', () => {
    const list = ids(choices(texts, rulesBeside(texts, 'work')))
    expect(list[0]).toBe('work_permit')
    expect(list).not.toContain('lease')
  })

  it('CQ-034 end with what is never accepted', () => {
    for (const kind of ['work', 'resident_single', 'vehicle']) {
      expect(ids(choices(texts, rulesBeside(texts, kind))).slice(-3)).toEqual(['campus_card', 'elder_card', 'other'])
    }
  })

  it('all have a key', () => {
    for (const kind of ['work', 'resident_single', 'resident_multi', 'vehicle', 'visitor']) {
      expect(choices(texts, rulesBeside(texts, kind)).length).toBeLessThanOrEqual(CHOICE_KEYS.length)
    }
  })

  it('are all documents as long as no guideline has come', () => {
    const none = { ...texts, rules: [] }
    expect(choices(none, rulesBeside(none, 'work'))).toHaveLength(texts.documents.length)
    expect(choices(null, [])).toEqual([])
  })
})

describe('what ticks come to', () => {
  const beside = (...ticked: string[]) => {
    const { rule, missing } = outlook(texts, rulesBeside(texts, 'resident_single'), ticked)
    return [rule?.id ?? '', ...missing]
  }

  it('CQ-022 CQ-025 CQ-028 one document can be enough', () => {
    expect(beside('work_permit')).toEqual(['staff'])
    expect(beside('temporary_permit')).toEqual(['resident'])
    expect(beside('property_proof')).toEqual(['owner'])
  })

  it('CQ-029 names what a tenant lacks', () => {
    expect(beside('lease')).toEqual(['', 'landlord_certificate', 'id_card_elsewhere'])
    expect(beside('lease', 'landlord_certificate')).toEqual(['', 'id_card_elsewhere'])
    expect(beside('id_card_elsewhere', 'lease', 'landlord_certificate')).toEqual(['tenant'])
  })

  it('promises nothing for what proves nothing', () => {
    expect(beside()).toEqual([''])
    expect(beside('id_card_elsewhere')).toEqual([''])
    expect(beside('campus_card')).toEqual([''])
  })

  it('CQ-033 CQ-035 a rule without documents needs none, and a visitor nothing that there is', () => {
    expect(outlook(texts, [rule('relative')], []).rule?.id).toBe('relative')
    expect(outlook(texts, [rule('visitor')], ['work_permit']).rule).toBeNull()
  })
})

it('CQ-031 CQ-033 a student goes out first, a relative comes in', () => {
  expect([begins(rule('winter_student')), begins(rule('relative')), begins(undefined)]).toEqual(['out', 'in', 'in'])
})

it('a tick is taken back by a second', () => {
  expect(toggled(['a'], 'b')).toEqual(['a', 'b'])
  expect(toggled(['a', 'b'], 'a')).toEqual(['b'])
})
