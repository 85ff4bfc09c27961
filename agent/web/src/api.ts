// Calls to the agent. Every failure becomes a Refusal with a sentence for the
// guard.

import { lang, t } from './i18n'
import type { Entry, Found, Guard, Registered, Scan } from './types'

export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

async function call<T>(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<T> {
  let response: Response
  try {
    response = await fetch('/api/v1' + path, {
      method,
      headers: { 'Content-Type': 'application/json', 'Accept-Language': lang.value },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: deadline(10_000),
    })
  } catch {
    throw new Refusal('network', t('failed_network'))
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok && (answer || response.status === 204)) return answer as T
  const error = (answer ?? {}) as { code?: string; message?: string }
  throw new Refusal(error.code ?? 'unknown', error.message ?? t('failed'))
}

const post = (path: string, body: unknown): Promise<Scan> => call('POST', path, body)

/** AbortSignal.timeout is younger than the oldest browser this page serves. */
function deadline(ms: number): AbortSignal {
  const abort = new AbortController()
  setTimeout(() => abort.abort(), ms)
  return abort.signal
}

export const present = (text: string, source: 'wedge' | 'manual', lane: string): Promise<Scan> =>
  post('/scans', { text, source, lane })

export const answer = (id: string, documents: string[]): Promise<Scan> =>
  post(`/scans/${encodeURIComponent(id)}/answer`, { documents })

export const refuse = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/answer`, { refuse: true })

export const annul = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/annul`, {})

export const enter = (entry: Entry): Promise<Scan> => post('/entries', entry)

export const beginShift = (number: string, pin: string): Promise<Guard> => call('POST', '/shift', { number, pin })

export const endShift = (): Promise<null> => call('DELETE', '/shift')

export const registers = (): Promise<{ registers: Registered[] }> => call('GET', '/registers')

export const search = (query: string): Promise<{ passes: Found[]; more: boolean }> =>
  call('GET', '/passes?q=' + encodeURIComponent(query))
