// Calls to the agent. Every failure becomes a Refusal with a sentence for the
// guard.

import { lang, t } from './i18n'
import type { Scan } from './types'

export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

async function post(path: string, body: unknown): Promise<Scan> {
  let response: Response
  try {
    response = await fetch('/api/v1' + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'Accept-Language': lang.value },
      body: JSON.stringify(body),
      signal: deadline(10_000),
    })
  } catch {
    throw new Refusal('network', t('failed_network'))
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok && answer) return answer as Scan
  const error = (answer ?? {}) as { code?: string; message?: string }
  throw new Refusal(error.code ?? 'unknown', error.message ?? t('failed'))
}

/** AbortSignal.timeout is younger than the oldest browser this page serves. */
function deadline(ms: number): AbortSignal {
  const abort = new AbortController()
  setTimeout(() => abort.abort(), ms)
  return abort.signal
}

export const present = (text: string, source: 'wedge' | 'manual', lane: string): Promise<Scan> =>
  post('/scans', { text, source, lane })

export const answer = (id: string, document: string): Promise<Scan> =>
  post(`/scans/${encodeURIComponent(id)}/answer`, { document })

export const refuse = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/answer`, { refuse: true })

export const annul = (id: string): Promise<Scan> => post(`/scans/${encodeURIComponent(id)}/annul`, {})
