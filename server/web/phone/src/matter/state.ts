import { lang } from '@shared/lang'
import type { Row } from '@shared/types'
import { tryWord } from '../i18n'

/** The state as its flow words it, or with a word of ours. */
export function stateName(row: Pick<Row, 'state' | 'state_name' | 'state_en'>): string {
  return (lang.value === 'zh' ? row.state_name : row.state_en) || tryWord('state_' + row.state, row.state)
}

/** The states that the list can be filtered by. */
export const filterStates = ['running', 'completed', 'returned', 'rejected', 'withdrawn', 'terminated'] as const
