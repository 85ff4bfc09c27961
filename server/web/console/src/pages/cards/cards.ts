// Campus cards as the card office sees them.

import { pick } from '@shared/lang'
import type { FormField, FormValues } from '@shared/types'
import { field, option } from '../../fields'
import { stamp, yuan } from '@shared/format'
import type { Column } from '../../columns'
import { signed } from '../../money'
import './words'

export interface Caps { per_tx_fen: number; per_meal_fen: number; per_day_fen: number }
export interface Offline { enabled: boolean; per_tx_fen: number; per_day_fen: number; max_tx: number }
export interface Terms { limits: Caps; offline: Offline }

export interface Card {
  /** Number of the account, with its check digit. */
  account: string
  number: string
  name: string
  name_masked: string
  state: 'active' | 'lost' | 'frozen' | 'closed'
  balance_fen: number
  main_fen: number
  subsidy_fen: number
  /** 0 or negative. */
  debt_fen: number
  held_fen: number
  limits: Caps
  offline: Offline
  has_password: boolean
  phone?: { id: string; enrolled_at: number; expires_at: number }
  epoch: number
  opened_at: number
  bound_at?: number
  lost_at?: number
  frozen_at?: number
  freeze_reason?: string
  closed_at?: number
}

export interface Entry {
  seq: number
  id: string
  kind: string
  title: { zh: string; en: string }
  at: number
  posted_at: number
  amount_fen: number
  balance_fen: number
  place: string
  flags: string[]
  order?: string
}

export interface Statement {
  month: string
  opening_fen: number
  closing_fen: number
  in_fen: number
  out_fen: number
  entries: Entry[]
}

export const states = ['active', 'lost', 'frozen', 'closed'] as const

/** What the office does to a card for a reason. */
export type Act = 'loss' | 'lift' | 'freeze' | 'unfreeze' | 'reissue' | 'password-reset' | 'close'

/** What can be done to a card as it stands. */
export function actsOf(card: Card): Act[] {
  if (card.state === 'closed') return []
  return [
    card.lost_at ? 'lift' : 'loss',
    card.frozen_at ? 'unfreeze' : 'freeze',
    'reissue',
    ...(card.has_password ? ['password-reset' as const] : []),
    'close',
  ]
}

/** Acts that cannot be taken back as they were done. */
export const grave: readonly Act[] = ['freeze', 'reissue', 'password-reset', 'close']

/** The key of an act's words. */
export const wordOf = (act: Act): string => act.replace('-', '_')

export const reasonField = (): FormField => field('reason', 'money_reason', 'textarea', { required: true, max: 200 })

export const entryColumns: Column<Entry>[] = [
  { id: 'at', word: 'card_entry_at', text: (one) => stamp(one.at), nowrap: true },
  { id: 'title', word: 'card_entry_title', text: (one) => pick(one.title.zh, one.title.en), width: '110px' },
  { id: 'place', word: 'card_entry_place', text: (one) => one.place },
  { id: 'amount', word: 'card_entry_amount', text: (one) => signed(one.amount_fen), align: 'right', nowrap: true },
  { id: 'balance', word: 'card_entry_balance', text: (one) => yuan(one.balance_fen), align: 'right', nowrap: true },
  { id: 'flags', word: 'card_entry_flags', text: () => '' },
]

/** The fields of limits; those of one card may be left empty, which is as the campus has it. */
export function limitFields(needed: boolean): FormField[] {
  const money = (id: string, word: string) => field(id, word, 'money', { required: needed })
  return [
    money('per_tx_fen', 'card_per_tx'),
    money('per_meal_fen', 'card_per_meal'),
    money('per_day_fen', 'card_per_day'),
    field('enabled', 'card_offline', 'select', { required: true, options: [option('true', 'yes'), option('false', 'no'), ...(needed ? [] : [option('campus', 'card_as_campus')])] }),
    money('off_per_tx_fen', 'card_off_per_tx'),
    money('off_per_day_fen', 'card_off_per_day'),
    field('max_tx', 'card_off_max', 'number', { required: needed }),
  ]
}

export const limitValues = (of: Terms): FormValues => ({
  ...of.limits, enabled: String(of.offline.enabled), off_per_tx_fen: of.offline.per_tx_fen, off_per_day_fen: of.offline.per_day_fen, max_tx: of.offline.max_tx,
})

/** The campus's own terms, as they were filled in. */
export function termsOf(form: FormValues): Terms {
  const n = (id: string) => Number(form[id])
  return {
    limits: { per_tx_fen: n('per_tx_fen'), per_meal_fen: n('per_meal_fen'), per_day_fen: n('per_day_fen') },
    offline: { enabled: form.enabled === 'true', per_tx_fen: n('off_per_tx_fen'), per_day_fen: n('off_per_day_fen'), max_tx: n('max_tx') },
  }
}

/** What changes of one card: only what differs from what is in force; empty = as the campus, which is sent as -1. */
export function limitChange(of: Terms, form: FormValues): { limits?: Record<string, number>; offline?: Record<string, number | string> } {
  const was = limitValues(of)
  const set = (ids: Record<string, string>) =>
    Object.fromEntries(Object.entries(ids).filter(([id]) => (form[id] ?? null) !== was[id]).map(([id, name]) => [name, typeof form[id] === 'number' ? form[id] : -1]))
  const limits = set({ per_tx_fen: 'per_tx_fen', per_meal_fen: 'per_meal_fen', per_day_fen: 'per_day_fen' })
  const offline: Record<string, number | string> = set({ off_per_tx_fen: 'per_tx_fen', off_per_day_fen: 'per_day_fen', max_tx: 'max_tx' })
  if (form.enabled !== was.enabled) offline.enabled = ({ true: 'yes', false: 'no' } as Record<string, string>)[String(form.enabled)] ?? 'campus'
  return { ...(Object.keys(limits).length ? { limits } : {}), ...(Object.keys(offline).length ? { offline } : {}) }
}

/** The kinds of people whom something is done for. */
export const kindOptions = () => ['staff', 'contract', 'worker', 'retired', 'student', 'resident', 'outside'].map((one) => option(one, 'kind_' + one))
