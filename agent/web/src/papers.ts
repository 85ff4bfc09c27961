// Which documents the guard can choose, and what a choice comes to. The agent
// decides; this only says beforehand what it will say.

import type { Direction, DocumentChoice, Rule, Texts } from './types'

/** The keys of the choices, in order: none of them is a shortcut while a question is open. */
export const CHOICE_KEYS = '1234567890abcdef'

/** The rules that hold beside a pass of a kind. */
export function rulesBeside(texts: Texts | null, kind: string | undefined): Rule[] {
  return texts?.rules.filter((r) => kind !== undefined && r.passes?.includes(kind)) ?? []
}

/** The documents that some of these rules take, in the guideline's order, and after them those that never count. */
export function choices(texts: Texts | null, rules: Rule[]): DocumentChoice[] {
  if (!texts) return []
  if (texts.rules.length === 0) return texts.documents
  const taken = new Set(rules.flatMap((r) => r.documents?.flat() ?? []))
  return [...texts.documents.filter((d) => taken.has(d.id)), ...texts.documents.filter((d) => d.never)]
}

export interface Outlook {
  /** The first rule of which a whole set is ticked. */
  rule: Rule | null
  /** What the set lacks that the least is missing of; none where nothing that counts is ticked. */
  missing: string[]
}

/** What ticks come to under rules. */
export function outlook(texts: Texts | null, rules: Rule[], ticked: string[]): Outlook {
  let missing: string[] = []
  for (const rule of rules) {
    if (rule.refuse) continue
    for (const set of rule.documents?.length ? rule.documents : [[]]) {
      const lacks = set.filter((id) => !ticked.includes(id))
      if (lacks.length === 0) return { rule, missing: [] }
      const begun = set.some((id) => ticked.includes(id) && !texts?.documents.find((d) => d.id === id)?.beside)
      if (begun && (missing.length === 0 || lacks.length < missing.length)) missing = lacks
    }
  }
  return { rule: null, missing }
}

/** The direction in which an entry of a rule's register begins. */
export const begins = (rule: Rule | undefined): Direction => (rule?.register === 'student' ? 'out' : 'in')

/** Ticks one more, or takes a tick back. */
export const toggled = (ticked: string[], id: string): string[] =>
  ticked.includes(id) ? ticked.filter((x) => x !== id) : [...ticked, id]
