// What gates report, as lists show it.

import { clock, day } from '@shared/format'
import type { GateEvent } from '@shared/types'
import { t, i18n } from '../../i18n'

export interface SeenEvent extends GateEvent {
  type: 'scan' | 'grant' | 'annul' | 'entry' | 'register' | 'shift' | string
  documents?: string[]
  guard?: string
  note?: string
  shift?: 'begins' | 'ends'
  alarm?: 'lockdown' | 'open' | 'normal'
  lane?: string
  mark?: string
  repeat: boolean
  opinion: string
}

/** Reasons that a gate can give, in the order of the gates. */
export const reasons = [
  'granted', 'malformed', 'unknown_key', 'bad_signature', 'wrong_kind', 'wrong_site', 'revoked', 'blocked', 'clock_untrusted', 'policy_stale',
  'proof_missing', 'proof_stale', 'not_yet_valid', 'expired', 'replayed', 'wrong_gate', 'outside_hours', 'lockdown', 'document_required',
  'document_not_accepted', 'document_incomplete', 'offline_not_allowed', 'occupancy_full', 'antipassback', 'already_used', 'internal',
  'attention', 'needs_input', 'annulled', 'conflict',
] as const

export type Verdict = 'granted' | 'attention' | 'denied' | 'rest'

/** What a reason means at the barrier: it opens, it opens and somebody looks, it stays shut, or nothing was decided. */
export function verdictOf(reason: string, mark = ''): Verdict {
  if (reason === 'granted' && mark === 'unconfirmed') return 'attention'
  if (reason === 'granted') return 'granted'
  if (reason === 'attention' || reason === 'conflict') return 'attention'
  return reason === '' || reason === 'annulled' || reason === 'needs_input' ? 'rest' : 'denied'
}

/** A reason as people say it; one that is not known here stays as it is. */
export const reasonName = (reason: string): string => (reason && i18n.global.te('reason_' + reason) ? t('reason_' + reason) : reason || '—')

/** "2026-05-01 08:05:09": events come by the second. */
export function second(at: number): string {
  return `${day(at)} ${clock(at)}:${String(Math.floor(at / 1000) % 60).padStart(2, '0')}`
}

/** Rows that the live list holds. */
export const most = 200

/** The list with what has just come, newest first, each event once. */
export function arrived(rows: readonly SeenEvent[], now: readonly SeenEvent[]): SeenEvent[] {
  const seen = new Set(rows.map((one) => one.id))
  const fresh: SeenEvent[] = []
  for (const one of now) {
    if (seen.has(one.id)) continue
    seen.add(one.id)
    fresh.unshift(one)
  }
  return [...fresh, ...rows].slice(0, most)
}

/** How many of each verdict are in a list. */
export function tally(rows: readonly SeenEvent[]): Record<Verdict, number> {
  const sum = { granted: 0, attention: 0, denied: 0, rest: 0 }
  for (const one of rows) sum[verdictOf(one.reason, one.mark)]++
  return sum
}
