// Calls to the server. Every failure becomes a Refusal with a stable code and
// a sentence for people, so that pages only have to show it.

import { half, lang, pick } from './lang'
import type { Problem } from './types'

const prefix = '/api/v1'
const patience = 15_000 // ms; a phone at the edge of the network

/** Why a call did not succeed. `network` and `timeout` are our own codes. */
export class Refusal extends Error {
  constructor(
    /** Stable name: lower_snake of the server, UPPER_SNAKE of an application rule. */
    readonly code: string,
    /** In the language shown. */
    message: string,
    /** HTTP status; 0 = there was no answer. */
    readonly status = 0,
    /** What it is about: field, limits, dates. */
    readonly details: Readonly<Record<string, unknown>> = {},
    /** Under which the server's log knows the call. */
    readonly requestId = '',
  ) {
    super(message)
    this.name = 'Refusal'
  }

  /** Whether nobody answered: worth another try, and stored data still stands. */
  get offline(): boolean {
    return this.code === 'network' || this.code === 'timeout'
  }
}

/** Any error as a Refusal. */
export function refusalOf(e: unknown): Refusal {
  if (e instanceof Refusal) return e
  return new Refusal('page', pick('页面出错，请刷新后再试', 'Something went wrong on this page; reload and try again'), 0, { what: String(e) })
}

type Query = Readonly<Record<string, string | number | boolean | undefined | null>>

/** What an app wants to know of every call. */
export interface Hooks {
  /** The session is over or was never there. */
  unauthorized?(): void
  /** 403 must_change_password. */
  mustChange?(): void
  /** An answer came: its Date header, and when the call began and ended here (ms). */
  answered?(date: number, began: number, ended: number): void
}

let hooks: Hooks = {}

/** Sets the hooks; once, where the app begins. */
export function onCalls(to: Hooks): void {
  hooks = to
}

/** The address of a call, with the values of query that are set. */
export function address(path: string, query: Query = {}): string {
  const asked = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') asked.set(name, String(value))
  }
  const tail = asked.toString()
  return prefix + path + (tail ? '?' + tail : '')
}

/** One call. Null is the answer of 204. */
async function call<T>(method: string, path: string, query?: Query, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: 'application/json', 'Accept-Language': lang.value }
  if (body !== undefined) headers['Content-Type'] = 'application/json'
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), patience) // AbortSignal.timeout is too young
  const began = Date.now()
  try {
    const response = await fetch(address(path, query), {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: abort.signal,
      cache: 'no-store',
    })
    noteDate(response.headers.get('Date'), began)
    const answer: unknown = await response.json().catch(() => null)
    if (response.ok) return answer as T
    throw refused(response.status, answer)
  } catch (e) {
    if (e instanceof Refusal) throw e
    throw abort.signal.aborted ? unanswered('timeout') : unanswered('network')
  } finally {
    clearTimeout(timer)
  }
}

function noteDate(date: string | null, began: number): void {
  const at = date ? Date.parse(date) : NaN
  if (!Number.isNaN(at)) hooks.answered?.(at, began, Date.now())
}

function unanswered(code: 'network' | 'timeout'): Refusal {
  return code === 'timeout'
    ? new Refusal(code, pick('服务器没有及时回应，请重试', 'The server did not answer in time; try again'))
    : new Refusal(code, pick('网络不通，请检查网络后重试', 'No connection; check the network and try again'))
}

function refused(status: number, answer: unknown): Refusal {
  const p = (typeof answer === 'object' && answer !== null ? answer : {}) as Partial<Problem>
  const r = new Refusal(
    p.code ?? 'http_' + status,
    p.message ? half(p.message) : pick('操作没有成功', 'That did not work') + ` (${status})`,
    status,
    p.details ?? {},
    p.request_id ?? '',
  )
  if (status === 401) hooks.unauthorized?.()
  if (r.code === 'must_change_password') hooks.mustChange?.()
  return r
}

export const get = <T>(path: string, query?: Query): Promise<T> => call<T>('GET', path, query)
export const post = <T = null>(path: string, body: unknown = {}): Promise<T> => call<T>('POST', path, undefined, body)
export const put = <T = null>(path: string, body: unknown): Promise<T> => call<T>('PUT', path, undefined, body)
export const del = <T = null>(path: string, body?: unknown): Promise<T> => call<T>('DELETE', path, undefined, body)
/** Changes what is given of something. */
export const patch = <T = null>(path: string, body: unknown): Promise<T> => call<T>('PATCH', path, undefined, body)

/** A running upload. */
export interface Upload<T> {
  done: Promise<T>
  abort(): void
}

/** Sends a file as the multipart field `file`, or a form; progress is told from 0 to 1. */
export function upload<T>(path: string, file: File | FormData, progress?: (part: number) => void, query?: Query): Upload<T> {
  const request = new XMLHttpRequest() // fetch tells no progress
  const done = new Promise<T>((resolve, reject) => {
    request.open('POST', address(path, query))
    request.responseType = 'json'
    request.timeout = file instanceof FormData ? 1_800_000 : 120_000
    request.setRequestHeader('Accept-Language', lang.value)
    request.upload.onprogress = (e) => e.lengthComputable && progress?.(e.loaded / e.total)
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) resolve(request.response as T)
      else reject(refused(request.status, request.response))
    }
    request.onerror = () => reject(unanswered('network'))
    request.ontimeout = () => reject(unanswered('timeout'))
    request.onabort = () => reject(new Refusal('aborted', pick('已取消', 'Cancelled')))
    let form = file
    if (form instanceof File) {
      form = new FormData()
      form.append('file', file as File)
    }
    request.send(form)
  })
  return { done, abort: () => request.abort() }
}
