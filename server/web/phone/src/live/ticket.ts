// What live codes are made for: a pass that is bound to a phone, or the campus
// card. The rest of the machinery asks no further.

import { get, post } from '@shared/api'
import type { LiveCode, MyPass } from '@shared/types'
import type { MyCard } from '../card/types'
import { context } from './code'

export interface Ticket {
  /** Under which its key is kept on the phone. */
  id: string
  /** Where a key is enrolled. */
  keys: string
  /** Id of the phone key that stands by the server's last word; "" = no phone has it. */
  phone: string
  /** Unix seconds that no credential of it outlasts. */
  end: number
  /** Seconds before the end of a credential at which it is renewed. */
  renewBefore: number
  /** What its codes say, and what they say when they were confirmed. */
  context: number
  confirmed: number
  /** A code of the server's making; with the card password, a confirmed one. */
  serverCode(password?: string): Promise<LiveCode>
}

const hour = 3600

export const passTicket = (p: MyPass): Ticket => ({
  id: p.id,
  keys: `/passes/${p.id}/keys`,
  phone: p.phone,
  end: Date.parse(p.until) / 1000,
  renewBefore: 24 * hour,
  context: context.gate,
  confirmed: context.gate,
  serverCode: () => get<LiveCode>(`/me/passes/${p.id}/live`),
})

/** Under which the key of a card is kept. */
export const cardKey = (card: Pick<MyCard, 'account'>): string => 'card/' + card.account

export const cardTicket = (card: MyCard): Ticket => ({
  id: cardKey(card),
  keys: '/cards/me/keys',
  phone: card.phone?.id ?? '',
  end: Infinity,
  renewBefore: 48 * hour, // of 72: a phone that was away from the network for a night and a day still pays
  context: context.pay,
  confirmed: context.confirmed,
  serverCode: (password) => (password === undefined ? get<LiveCode>('/cards/me/code') : post<LiveCode>('/cards/me/code', { password })),
})
