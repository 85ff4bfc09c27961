// What a pass is at this moment, and how the pages name it.

import { millis } from '@shared/format'
import type { MyPass, PassKind, PassState } from '@shared/types'
import { tryWord } from '../i18n'

export type PassStanding = PassState | 'early'

type Dated = Pick<MyPass, 'state' | 'from' | 'until'>

/** The state by the clock: what was kept before a midnight must not say otherwise after it. */
export function passState(pass: Dated, now: number): PassStanding {
  if (pass.state !== 'issued') return pass.state
  if (now >= millis(pass.until)) return 'expired'
  return now < millis(pass.from) ? 'early' : 'issued'
}

/** Whether it can be of use now or later. */
export function usable(pass: Dated, now: number): boolean {
  return ['issued', 'early'].includes(passState(pass, now))
}

/** Those that can be used now first, then the coming ones, then what is over, newest first. */
export function inOrder(passes: readonly MyPass[], now: number): MyPass[] {
  const rank = (p: MyPass) => ['issued', 'early'].indexOf(passState(p, now)) + 1 || 3
  return [...passes].sort((a, b) => rank(a) - rank(b) || (rank(a) === 3 ? millis(b.until) - millis(a.until) : millis(a.from) - millis(b.from)))
}

export const kindName = (kind: PassKind): string => tryWord('kind_' + kind, kind)

export const kindIcon = (kind: PassKind): string =>
  ({ resident_single: 'home', resident_multi: 'home', work: 'work', visitor: 'person', vehicle: 'car' })[kind] ?? 'pass'
