// Charges that wait, or waited, for a person's word.

import { stamp, yuan } from '@shared/format'
import type { Column } from '../../columns'
import { i18n, t } from '../../i18n'
import './words'

export interface Dispute {
  id: number
  account: string
  transfer: string
  kind: string
  amount_fen: number
  text: string
  opened_at: number
  state: 'open' | 'merchant' | 'holder' | 'dismiss'
  decided_at?: number
  decided_by?: string
  decision?: string
}

export const disputeStates = ['open', 'merchant', 'holder', 'dismiss'] as const
export const decisions = ['merchant', 'holder', 'dismiss'] as const

const kindOf = (kind: string) => (i18n.global.te('dispute_kind_' + kind) ? t('dispute_kind_' + kind) : kind)

export const disputeColumns: Column<Dispute>[] = [
  { id: 'opened', word: 'dispute_opened', text: (one) => stamp(one.opened_at), nowrap: true },
  { id: 'account', word: 'dispute_account', text: (one) => one.account, nowrap: true },
  { id: 'kind', word: 'dispute_kind', text: (one) => kindOf(one.kind), nowrap: true },
  { id: 'amount', word: 'dispute_amount', text: (one) => yuan(one.amount_fen), align: 'right', nowrap: true },
  { id: 'text', word: 'dispute_text', text: (one) => one.text },
  { id: 'state', word: 'dispute_state', text: (one) => t('dispute_state_' + one.state), nowrap: true },
]
