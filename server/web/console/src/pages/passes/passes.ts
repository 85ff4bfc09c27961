// Passes as the lists of the administration word them.

import { stamp } from '@shared/format'
import type { Pass, PassKind, PassState } from '@shared/types'
import type { Column } from '../../columns'
import { t } from '../../i18n'
import { passDays } from '../../matters'

export const kinds: readonly PassKind[] = ['resident_single', 'resident_multi', 'work', 'visitor', 'vehicle']
export const passStates: readonly PassState[] = ['issued', 'used', 'expired', 'revoked']

/** What a list of passes is narrowed to; "" = anything. */
export const usual = { q: '', kind: '', state: '', from: '', to: '' }

export const usesOf = (pass: Pick<Pass, 'uses' | 'used'>): string =>
  pass.uses === 0 ? t('pass_uses_any', { used: pass.used }) : t('pass_uses_of', { used: pass.used, uses: pass.uses })

export const columns: readonly Column<Pass>[] = [
  { id: 'name', word: 'pass_name', text: (pass) => pass.name || '—', always: true },
  { id: 'kind', word: 'pass_kind', text: (pass) => t('kind_of_pass_' + pass.kind), nowrap: true },
  { id: 'days', word: 'pass_days', text: passDays, nowrap: true },
  { id: 'uses', word: 'pass_uses', text: usesOf, nowrap: true },
  { id: 'state', word: 'pass_state', text: (pass) => t('pass_state_' + pass.state), nowrap: true },
  { id: 'issued', word: 'pass_issued', text: (pass) => stamp(pass.issued_at), nowrap: true },
  { id: 'by', word: 'pass_by', text: (pass) => pass.issued_by, usual: false },
  { id: 'id', word: 'pass_id', text: (pass) => pass.id, usual: false, nowrap: true },
  { id: 'open', word: 'col_open', text: () => '', always: true, nowrap: true },
]
