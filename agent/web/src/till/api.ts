// What the till's pages ask of the agent.

import { call } from '../call'
import type { Guard } from '../types'
import type { Batch, Payment, SaleRequest, Till } from './types'

export const present = (text: string): Promise<Payment> => call('POST', '/scans', { text, source: 'wedge', lane: '' })

export const arm = (sale: SaleRequest): Promise<Till> => call('PUT', '/till/sale', sale)

export const disarm = (): Promise<unknown> => call('DELETE', '/till/sale')

export const charges = (limit: number): Promise<{ charges: Payment[] }> => call('GET', `/till/charges?limit=${limit}`)

export const voidCharge = (event: string, number: string, pin: string): Promise<Payment> =>
  call('POST', `/till/charges/${encodeURIComponent(event)}/void`, { number, pin })

/** Prints the receipt of a charge, or a batch's report, on the till's own printer. */
export const printCharge = (event: string): Promise<unknown> => call('POST', `/till/charges/${encodeURIComponent(event)}/print`, {})
export const printBatch = (number: number): Promise<unknown> => call('POST', `/till/batches/${number}/print`, {})

/** Opens or closes the batch, for somebody with number and PIN, or for who is on duty. */
export const moveBatch = (move: 'open' | 'close', who: { number?: string; pin?: string }): Promise<Batch> =>
  call('POST', `/till/batch/${move}`, who)

/** Answers whether the same holder pays once more. */
export const confirm = (id: string, yes: boolean): Promise<Payment> =>
  call('POST', `/scans/${encodeURIComponent(id)}/answer`, yes ? { confirm: true } : { refuse: true })

export const beginShift = (number: string, pin: string): Promise<Guard> => call('POST', '/shift', { number, pin })

export const endShift = (): Promise<null> => call('DELETE', '/shift')
