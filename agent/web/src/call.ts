// Calls to the agent. Every failure becomes a Refusal with a sentence for the
// person at the screen.

import { guardKey } from './key'
import { lang, speaker } from './lang'

const t = speaker({
  failed: ['操作没有成功', 'That did not work'],
  network: ['本机程序没有响应，请重试', 'The agent did not answer, try again'],
})

export class Refusal extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/** The refusal in whatever was thrown. */
export const refusalOf = (error: unknown): Refusal => (error instanceof Refusal ? error : new Refusal('unknown', t('failed')))

export async function call<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T> {
  let response: Response
  try {
    response = await fetch('/api/v1' + path, {
      method,
      headers: {
        'Content-Type': 'application/json',
        'Accept-Language': lang.value,
        ...(guardKey.value && { 'X-Guard-Key': guardKey.value }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: deadline(10_000),
    })
  } catch {
    throw new Refusal('network', t('network'))
  }
  const answer: unknown = await response.json().catch(() => null)
  if (response.ok && (answer || response.status === 204)) return answer as T
  const error = (answer ?? {}) as { code?: string; message?: string }
  throw new Refusal(error.code ?? 'unknown', error.message ?? t('failed'))
}

/** AbortSignal.timeout is younger than the oldest browser these pages serve. */
function deadline(ms: number): AbortSignal {
  const abort = new AbortController()
  setTimeout(() => abort.abort(), ms)
  return abort.signal
}
