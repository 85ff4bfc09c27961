// What the guard's page asks of the agent.

import { call } from './call'
import type { Entry, Found, Guard, Registered, Scan } from './types'

const post = (path: string, body: unknown): Promise<Scan> => call('POST', path, body)

export const present = (text: string, source: 'wedge' | 'manual', lane: string): Promise<Scan> =>
  post('/scans', { text, source, lane })

export const answer = (id: string, documents: string[]): Promise<Scan> =>
  post(`/scans/${encodeURIComponent(id)}/answer`, { documents })

export const refuse = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/answer`, { refuse: true })

export const annul = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/annul`, {})

export const enter = (entry: Entry): Promise<Scan> => post('/entries', entry)

export const alarm = (state: 'open' | 'lockdown' | 'normal', reason: string): Promise<unknown> => call('POST', '/emergency', { state, reason })

export const beginShift = (number: string, pin: string): Promise<Guard> => call('POST', '/shift', { number, pin })

export const endShift = (): Promise<null> => call('DELETE', '/shift')

export const registers = (): Promise<{ registers: Registered[] }> => call('GET', '/registers')

export const search = (query: string): Promise<{ passes: Found[]; more: boolean }> =>
  call('GET', '/passes?q=' + encodeURIComponent(query))
