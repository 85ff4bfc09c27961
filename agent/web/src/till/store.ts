// The one state of a till's page, and everything that changes it.

import { computed, nextTick, onBeforeUnmount, ref, shallowRef, watch } from 'vue'
import { refusalOf } from '../call'
import { follow } from '../feed'
import { recall, remember } from '../memory'
import { play } from '../sound'
import * as api from './api'
import { empty, saleOf, type PadKey } from './draft'
import { agentNow, entryOf, eventOf, faceOf, key, pricesOf, question, reduce, SHOW_MS, shownPayment, start, THANK_MS, troubleOf, type Happening } from './state'
import type { Batch, EntryMode, Payment, TillMessage } from './types'
import { t } from './words'

const TICK_MS = 200
const NOTICE_MS = 5_000

/** What stands on the stage in place of the sale. */
export type Panel =
  | { name: 'functions' | 'charges' | 'entry' | 'batch' | 'shift' | 'last' }
  | { name: 'charge' | 'void'; payment: Payment }

/** What is printed. */
export type Slip = { payment: Payment } | { batch: Batch }

const state = shallowRef(start(performance.now()))
export const current = state
/** The page's monotonic clock, as far as the screen needs it. */
export const now = ref(performance.now())
/** A sentence about something that did not work, or did. */
export const notice = ref('')
/** Rises with each key that was wrong, so that the display can say no. */
export const wrong = ref(0)
/** Whether a sale stays armed after it was paid. */
export const sticky = ref(false)
/** Millimetres of the slips' paper. */
export const paper = ref(recall('paper') === '80' ? 80 : 58)
export const slip = shallowRef<Slip | null>(null)

export const status = computed(() => state.value.status)
export const till = computed(() => state.value.till)
export const rules = computed(() => state.value.till?.till ?? null)
export const sale = computed(() => state.value.till?.sale ?? null)
export const draft = computed(() => state.value.draft)
export const entry = computed(() => entryOf(state.value))
export const prices = computed(() => pricesOf(state.value))
export const connected = computed(() => state.value.connected)
export const trouble = computed(() => troubleOf(state.value))
export const time = computed(() => agentNow(state.value, now.value))
export const shown = computed(() => shownPayment(state.value, now.value, SHOW_MS))
export const thanked = computed(() => shownPayment(state.value, now.value, THANK_MS))
/** The last payment that was taken, voided since or not. */
export const last = computed(() => state.value.payments.find((p) => ['paid', 'voided'].includes(faceOf(p))) ?? till.value?.last ?? null)

/** The panels on the stage, the topmost last. */
const panels = shallowRef<Panel[]>([])
export const panel = computed(() => panels.value.at(-1) ?? null)

let noticeTimer = 0
/** An updated agent serves an updated page. */
let stale = false
/** The panel's handlers, the innermost last. */
let handlers: ((k: PadKey) => boolean)[] = []
let queue: Promise<unknown> = Promise.resolve()

function happen(h: Happening): void {
  state.value = reduce(state.value, h)
}

/** Connects to the agent and starts the clock. */
export function begin(sounds: boolean): void {
  follow<TillMessage>(
    (message) => happen({ type: 'message', message, now: performance.now() }),
    () => happen({ type: 'lost' }),
  )
  setInterval(() => {
    now.value = performance.now()
    happen({ type: 'tick', now: now.value })
  }, TICK_MS)
  if (sounds) watch(() => state.value.cue, (cue) => cue && play(cue.sound))
  // The updated page is fetched when nobody is paying.
  watch(
    () => [status.value?.software, sale.value === null && thanked.value === null && panel.value === null] as const,
    ([software, idle], [before]) => {
      if (software && before && software !== before) stale = true
      if (stale && idle) location.reload()
    },
  )
}

export function say(text: string, how: 'good' | 'bad' = 'bad'): void {
  notice.value = text
  if (how === 'bad') play('attention')
  clearTimeout(noticeTimer)
  noticeTimer = window.setTimeout(() => (notice.value = ''), NOTICE_MS)
}

/** Calls go out one after the other: a sale that is taken back and armed anew must not overtake itself. */
function ask<T>(what: () => Promise<T>): Promise<T> {
  const next = queue.then(what, what)
  queue = next.catch(() => undefined)
  return next
}

export async function scan(text: string): Promise<void> {
  close()
  notice.value = ''
  try {
    happen({ type: 'result', payment: await ask(() => api.present(text)), now: performance.now() })
  } catch (error) {
    say(refusalOf(error).message)
  }
}

let keys: Promise<void> = Promise.resolve()

/**
 * A key of the keypad, from the keyboard or the screen. Each is taken after the
 * one before is on the screen, so that it goes to the panel which that one opened.
 */
export function press(k: PadKey): void {
  const next = (): Promise<void> => {
    take(k)
    return nextTick()
  }
  keys = keys.then(next, next)
}

function take(k: PadKey): void {
  notice.value = ''
  if (panel.value) return pressPanel(k)
  const t = trouble.value
  if (k === '/') return open({ name: 'functions' })
  if (t === 'batch' || t === 'shift') return k === 'Enter' ? open({ name: t }) : k === '-' ? happen({ type: 'dismiss' }) : refuse()
  if (t && t !== 'period') return refuse()
  const { state: next, order } = key(state.value, k)
  state.value = next
  if (order === 'wrong') refuse()
  else if (order === 'arm') void arm()
  else if (order === 'disarm') void disarm()
  else if (order === 'again' || order === 'once') void answer(order === 'again')
}

function refuse(): void {
  wrong.value++
  play('attention')
}

function pressPanel(k: PadKey): void {
  if ([...handlers].reverse().some((handle) => handle(k))) return
  if (k === '-') back()
  else if (k === '/') close()
  else refuse()
}

/** While the component is there it gets the keys of the keypad; false hands a key on. */
export function onKeys(handle: (k: PadKey) => boolean): void {
  handlers.push(handle)
  onBeforeUnmount(() => (handlers = handlers.filter((h) => h !== handle)))
}

/** Says whether the same holder pays once more. */
export async function answer(yes: boolean): Promise<void> {
  const asked = question(state.value)
  if (!asked) return
  try {
    happen({ type: 'result', payment: await ask(() => api.confirm(asked.id, yes)), now: performance.now() })
  } catch (error) {
    const refusal = refusalOf(error)
    say(refusal.message)
    // The agent waits for it no longer.
    if (['not_waiting', 'unknown_scan'].includes(refusal.code)) happen({ type: 'dismiss' })
  }
}

async function arm(): Promise<void> {
  const { lines } = draft.value
  try {
    await ask(() => api.arm(saleOf(lines, sticky.value)))
    // What was keyed meanwhile is the next sale.
    if (draft.value.lines === lines) happen({ type: 'draft', draft: empty })
  } catch (error) {
    say(refusalOf(error).message)
  }
}

async function disarm(): Promise<void> {
  try {
    await ask(api.disarm)
  } catch (error) {
    say(refusalOf(error).message)
  }
}

/** Adds menu keys by touch. */
export const change = (to: (d: typeof draft.value) => typeof draft.value | null): void => {
  const next = to(draft.value)
  if (!next) return refuse()
  if (sale.value) void disarm()
  happen({ type: 'draft', draft: next })
}

/**
 * Chooses how amounts come about. A price that the till does not charge by
 * itself is armed, and stays so.
 */
export async function choose(mode: EntryMode): Promise<void> {
  happen({ type: 'choose', entry: mode })
  close()
  const price = mode === 'fixed' || mode === 'period'
  if (!price || mode === rules.value?.entry) return sale.value ? disarm() : undefined
  try {
    await ask(() => api.arm({ entry: mode, sticky: true }))
  } catch (error) {
    say(refusalOf(error).message)
  }
}

export function open(p: Panel): void {
  panels.value = [...panels.value, p]
}

export function back(): void {
  panels.value = panels.value.slice(0, -1)
}

export function close(): void {
  panels.value = []
}

/** Puts a panel in place of the topmost. */
export function swap(p: Panel): void {
  panels.value = [...panels.value.slice(0, -1), p]
}

export function setPaper(mm: number): void {
  paper.value = mm
  remember('paper', String(mm))
}

/** Whether the agent has the receipt printer; otherwise the browser prints. */
export const printer = computed(() => status.value?.printer ?? null)

/** Prints a slip. */
export async function print(what: Slip): Promise<void> {
  if (printer.value) {
    try {
      await ('payment' in what ? api.printCharge(eventOf(what.payment)) : api.printBatch(what.batch.number))
      say(t('printed'), 'good')
    } catch (error) {
      say(refusalOf(error).message)
    }
    return
  }
  slip.value = what
  await nextTick()
  window.print()
}

/** Takes over what the agent answered before its feed says it too. */
export function learn(payment: Payment): void {
  happen({ type: 'result', payment, now: performance.now() })
}

export const garbled = (): void => say(t('garbled'))
