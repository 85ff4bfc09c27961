// The person's card as the pages load it, and how they word it.

import { get, Refusal } from '@shared/api'
import { yuan } from '@shared/format'
import { heldKey, dropCredential } from '../live/store'
import { cardKey } from '../live/ticket'
import { useLoad, type Loaded } from '../state/load'
import { session } from '../state/session'
import type { MyCard } from './types'

/** Loads the card; it is kept for the time without a network. */
export function useCard(): Loaded<MyCard> {
  return useLoad(async () => settle(await get<MyCard>('/cards/me')), 'card')
}

/**
 * Takes in what the server says of the card: the credential on this phone is
 * thrown away where no till takes it any more.
 */
export async function settle(card: MyCard): Promise<MyCard> {
  try {
    const held = await heldKey(cardKey(card), session.me.value?.number ?? '')
    if (held?.credential.length && (card.state !== 'active' || !card.phone)) await dropCredential(held.pass)
  } catch {
    // A browser without a database has nothing to throw away.
  }
  return card
}

/** Whether there is no card, or none that is bound. */
export const isNoCard = (e: Refusal | null): boolean => e?.code === 'NO_CARD'

/** "30" of 3000 fen, "30.50" of 3050. */
export const short = (fen: number): string => yuan(fen).replace(/\.00$/, '')

/** "+30.00" and "-12.50". */
export const signed = (fen: number): string => (fen > 0 ? '+' : '') + yuan(fen)

/** A fresh id of an order or payment: the same again is the same one. */
export function freshId(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((b) => b.toString(16).padStart(2, '0')).join('')
}
