// Paper passes as the desk sees them.

import { half } from '@shared/lang'
import type { Paper, Pass } from '@shared/types'

export type Sheet = Omit<Paper, 'pass' | 'household' | 'person'> & {
  household?: number
  person?: string
  documents: string[] | null
  note: string
  returned_by?: string
  lost_by?: string
  lost_at?: number
  pass: Pass
}

export interface DeskNow {
  id: string
  name: string
  en?: string
  unit: string
  serves: { who: string; campus?: string }[] | null
  hours: { from: string; to: string }[] | null
  documents: string[] | null
  open: boolean
}

export interface Desks { items: DeskNow[]; documents: Record<string, string> }

export const paperStates = ['issued', 'returned', 'lost'] as const

/** "身份证、户口簿": names of documents in the language shown. */
export const documentNames = (ids: readonly string[] | null, names: Record<string, string>, between: string): string =>
  (ids ?? []).map((id) => half(names[id] ?? id)).join(between)

/** What stands on the sheet, in both languages whatever the page speaks. */
export const sheetRules: readonly (readonly [zh: string, en: string])[] = [
  ['出入校门时出示本证,并配合门卫扫码、核对证件。', 'Show this pass at the gate; let the guard scan it and see your document.'],
  ['限本人及本户使用,不得转借、复印、涂改。', 'For the holder and this household only; not to be lent, copied or altered.'],
  ['持有本证期间不再申请通行二维码;不再使用时交回窗口。', 'No codes can be applied for while it is out; hand it back when you no longer need it.'],
  ['遗失请立即到窗口挂失,挂失后本证失效。', 'Report a loss at the desk at once; the pass then stops holding.'],
]
