// Money as the pages of the campus card show it: whole fen, shown as yuan with
// two decimals. What is negative carries its sign.

import { yuan } from '@shared/format'
import { t } from './i18n'

/** A movement with its sign, "+20.00" or "-3.50"; nothing has none. */
export const signed = (fen: number): string => (fen > 0 ? '+' : '') + yuan(fen)

/** A limit: 0 is none. */
export const limit = (fen: number): string => (fen === 0 ? t('money_no_limit') : yuan(fen))

/** What came out of counting: as expected, over or short, in words. */
export function difference(fen: number): string {
  if (fen === 0) return t('money_even')
  return t(fen > 0 ? 'money_over' : 'money_short', { fen: yuan(Math.abs(fen)) })
}

/** An id made here, so that the same request sent again is done once. */
export function freshId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)) // randomUUID is there on secure pages only
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
