// The one state of the page, and everything that changes it.

import { computed, ref, shallowRef, watch } from 'vue'
import * as api from './api'
import { refusalOf } from './call'
import { follow } from './feed'
import { guardKey, keepKey } from './key'
import { play, ring } from './sound'
import { choices, rulesBeside, toggled } from './papers'
import { agentNow, annullable, faceOf, reduce, shownScan, start, type Happening } from './state'
import type { CallAnswer, Entry, HelpCall, Message, Scan } from './types'

const TICK_MS = 200
const NOTICE_MS = 6_000
/** A call for help rings so often. */
const RING_EVERY_MS = 2_500

const state = shallowRef(start(performance.now()))
/** The page's monotonic clock, as far as the screen needs it. */
export const now = ref(performance.now())
/** A sentence about something that did not work. */
export const notice = ref('')
/** The lane that codes typed or scanned by keyboard go to; "" is the first. */
export const typingLane = ref('')
/** The scan whose answer is on its way to the agent. */
export const sending = ref('')
/** What the guard has ticked of the documents of a question. */
const ticks = ref<{ scan: string; documents: string[] }>({ scan: '', documents: [] })
/** The entry that a guard is filling in; it outlives its window, which a scan closes. */
export const draft = ref<Entry | null>(null)

export const status = computed(() => state.value.status)
export const texts = computed(() => state.value.texts)
export const scans = computed(() => state.value.scans)
/** Calls for help that are open, or ended a moment ago. */
export const calls = computed(() => state.value.calls)
/** Those that wait for an answer of whoever is here. */
export const ringing = computed(() => calls.value.filter(waits))
export const connected = computed(() => state.value.connected)
export const shown = computed(() => shownScan(state.value))
export const face = computed(() => (shown.value ? faceOf(shown.value) : null))
export const last = computed(() => annullable(state.value, now.value))
export const time = computed(() => agentNow(state.value, now.value))
export const current = state
/** Nothing that a guard answers for is taken while this holds. */
export const unattended = computed(() => !!status.value?.shift.required && !status.value.shift.guard)
/** The rules and documents that the question on the stage is about. */
export const rules = computed(() => rulesBeside(texts.value, shown.value?.kind))
export const documents = computed(() => choices(texts.value, rules.value))
export const ticked = computed(() => (ticks.value.scan === shown.value?.id ? ticks.value.documents : []))

let noticeTimer = 0

function waits(c: HelpCall): boolean {
  return (c.state === 'ringing' || c.state === 'calling') && !c.sent
}

function happen(h: Happening): void {
  state.value = reduce(state.value, h)
}

function say(text: string): void {
  notice.value = text
  play('attention')
  clearTimeout(noticeTimer)
  noticeTimer = window.setTimeout(() => (notice.value = ''), NOTICE_MS)
}

/** Connects to the agent and starts the clock. */
export function begin(): void {
  follow<Message>(
    (message) => happen({ type: 'message', message, now: performance.now() }),
    lost,
    () => `/feed?page=guard${guardKey.value && '&key=' + guardKey.value}`,
  )
  setInterval(() => {
    now.value = performance.now()
    happen({ type: 'tick', now: now.value })
  }, TICK_MS)
  let rang = 0
  watch(now, (at) => {
    if (ringing.value.length === 0 || at - rang < RING_EVERY_MS) return
    rang = at
    ring()
  })
  watch(() => state.value.cue, (cue) => cue && play(cue.sound))
  watch(() => status.value?.software, reloadAfterUpdate)
}

function lost(): void {
  happen({ type: 'lost' })
  // At a kiosk the shift may be over, and its key with it.
  if (!guardKey.value) return
  void api.keyHolds().then((holds) => {
    if (holds) return
    keepKey('')
    location.reload()
  })
}

/** An updated agent serves an updated page; the old one goes when nobody looks at it. */
function reloadAfterUpdate(software: string | undefined, before: string | undefined): void {
  if (!software || !before || software === before) return
  const stop = watch(
    shown,
    (scan) => {
      if (!scan) location.reload()
    },
    { immediate: true },
  )
  setTimeout(stop, 3_600_000)
}

async function attempt(call: () => Promise<Scan>, id = ''): Promise<void> {
  notice.value = ''
  try {
    happen({ type: 'result', scan: await call(), now: performance.now() })
  } catch (error) {
    const refusal = refusalOf(error)
    say(refusal.message)
    if (id && ['not_waiting', 'unknown_scan'].includes(refusal.code)) happen({ type: 'settled', id })
  }
}

export const present = (text: string, source: 'wedge' | 'manual' | 'camera'): Promise<void> =>
  attempt(() => api.present(text, source, typingLane.value))

async function settle(id: string, call: () => Promise<Scan>): Promise<void> {
  if (sending.value === id) return
  sending.value = id
  await attempt(call, id)
  if (sending.value === id) sending.value = ''
}

export function tick(scan: Scan, document: string): void {
  ticks.value = { scan: scan.id, documents: toggled(ticked.value, document) }
}

/** Answers with what is ticked; with nothing ticked there is nothing to answer. */
export async function answer(scan: Scan): Promise<void> {
  const documents = ticked.value
  if (documents.length > 0 && !unattended.value) await settle(scan.id, () => api.answer(scan.id, documents))
}

/** Lets somebody in although nobody can confirm it. */
export async function confirm(scan: Scan): Promise<void> {
  if (!unattended.value) await settle(scan.id, () => api.confirm(scan.id))
}

export const refuse = (scan: Scan): Promise<void> => settle(scan.id, () => api.refuse(scan.id))

/** Sends an entry; true when it was taken, whatever came of it. */
export async function enter(entry: Entry): Promise<boolean> {
  let taken = false
  await attempt(async () => {
    const result = await api.enter(entry)
    taken = true
    return result
  })
  return taken
}

export const annul = (scan: Scan): Promise<void> => attempt(() => api.annul(scan.id))

/** Lanes whose scanners wait to be told to read. */
export const triggers = computed(() => (status.value?.lanes ?? []).filter((lane) => lane.trigger).map((lane) => lane.name))

/** Has them read; what they read comes as any scan does. */
export async function trigger(): Promise<void> {
  notice.value = ''
  for (const lane of triggers.value) await api.trigger(lane).catch((error: unknown) => say(refusalOf(error).message))
}

/** Answers a call for help; true when the answer was taken. What comes of it is in the feed. */
export async function answerCall(c: HelpCall, answer: CallAnswer, documents: string[] = []): Promise<boolean> {
  notice.value = ''
  try {
    await api.answerCall(c.id, answer, documents)
    return true
  } catch (error) {
    say(refusalOf(error).message)
    return false
  }
}
