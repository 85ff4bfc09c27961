// What the guard's page asks of the agent.

import { call, refusalOf } from './call'
import type { CallAnswer, Check, Entry, Found, Guard, Registered, Scan } from './types'

const post = (path: string, body: unknown): Promise<Scan> => call('POST', path, body)

export const present = (text: string, source: 'wedge' | 'manual' | 'camera', lane: string): Promise<Scan> =>
  post('/scans', { text, source, lane })

export const answer = (id: string, documents: string[]): Promise<Scan> =>
  post(`/scans/${encodeURIComponent(id)}/answer`, { documents })

/** Lets somebody in although nobody can confirm it. */
export const confirm = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/answer`, { confirm: true })

export const refuse = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/answer`, { refuse: true })

export const annul = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/annul`, {})

export const enter = (entry: Entry): Promise<Scan> => post('/entries', entry)

export const alarm = (state: 'open' | 'lockdown' | 'normal', reason: string): Promise<unknown> => call('POST', '/emergency', { state, reason })

export const beginShift = (number: string, pin: string): Promise<Guard> => call('POST', '/shift', { number, pin })

export const endShift = (): Promise<null> => call('DELETE', '/shift')

export const registers = (): Promise<{ registers: Registered[] }> => call('GET', '/registers')

export const search = (query: string): Promise<{ passes: Found[]; more: boolean }> =>
  call('GET', '/passes?q=' + encodeURIComponent(query))

/** Has the scanners of a lane read, as if their trigger had been pulled. */
export const trigger = (lane: string): Promise<unknown> => call('POST', `/lanes/${encodeURIComponent(lane)}/trigger`, {})
export const answerCall = (id: string, answer: CallAnswer, documents: string[]): Promise<unknown> =>
  call('POST', `/calls/${encodeURIComponent(id)}/answer`, { answer, ...(documents.length > 0 && { documents }) })

export const pulse = (lane: string): Promise<unknown> => call('POST', '/doctor/pulse', { lane })

export const doctor = (): Promise<{ checks: Check[] }> => call('GET', '/doctor')

/** Whether the key of this tab still opens anything. */
export async function keyHolds(): Promise<boolean> {
  try {
    await call('GET', '/calls')
    return true
  } catch (error) {
    return refusalOf(error).code !== 'no_shift'
  }
}
