// Amounts that a person types.

import { fen } from '@shared/format'
import { t } from '../i18n'
import { short } from './card'

/** What was typed, in whole fen, or what is wrong with it. */
export type Amount = { fen: number; wrong: '' } | { fen: null; wrong: string }

/** Reads an amount of yuan between two bounds in fen; most 0 = none. */
export function amountOf(typed: string, least: number, most: number): Amount {
  const read = fen(typed)
  if (read === null || read < 0) return { fen: null, wrong: t('amount_bad') }
  if (read < least) return { fen: null, wrong: t('amount_low', { n: short(least) }) }
  if (most > 0 && read > most) return { fen: null, wrong: t('amount_high', { n: short(most) }) }
  return { fen: read, wrong: '' }
}
