// The one state of a kiosk's page, and everything that changes it.

import { computed, ref, shallowRef, watch } from 'vue'
import { call } from '../call'
import { follow } from '../feed'
import { lang } from '../lang'
import { play } from '../sound'
import { agentNow, closedLanes, reduce, start, viewOf, type Happening } from './state'
import type { KioskMessage } from './types'

const TICK_MS = 200
/** A visitor's language lasts until the next one. */
const LANGUAGE_MS = 30_000
/** Nothing stands for long at the same place of the screen. */
const MOVE_MS = 60_000

/** The lane that this screen belongs to; "" = all of the PC. */
export const lane = new URLSearchParams(location.search).get('lane') ?? ''

const state = shallowRef(start(performance.now()))
/** The page's monotonic clock, as far as the screen needs it. */
export const now = ref(performance.now())
let used = performance.now()

export const kiosk = computed(() => state.value.kiosk)
export const view = computed(() => viewOf(state.value, now.value, lane))
export const time = computed(() => agentNow(state.value, now.value))
export const closed = computed(() => closedLanes(state.value, lane))
export const connected = computed(() => state.value.connected)
/** Where the picture stands, in steps. */
export const place = computed(() => Math.floor(now.value / MOVE_MS) % 8)

function happen(h: Happening): void {
  state.value = reduce(state.value, h, lane)
}

/** Connects to the agent and starts the clock. */
export function begin(): void {
  lang.value = 'zh' // whoever comes next has not chosen
  follow<KioskMessage>(
    (message) => happen({ type: 'message', message, now: performance.now() }),
    () => happen({ type: 'lost' }),
    () => '/kiosk/feed',
  )
  setInterval(() => {
    now.value = performance.now()
    happen({ type: 'tick', now: now.value })
    if (view.value.name !== 'idle') used = now.value
    else if (lang.value !== 'zh' && now.value - used > LANGUAGE_MS) lang.value = 'zh'
  }, TICK_MS)
  watch(() => state.value.cue, (cue) => cue && play(cue.sound))
  // An updated agent serves an updated page.
  let stale = false
  watch(() => [kiosk.value?.software, view.value.name] as const, ([software, name], before) => {
    if (before?.[0] && software !== before[0]) stale = true
    if (stale && name === 'idle') location.reload()
  })
}

/** Somebody has touched the screen. */
export function touched(): void {
  used = performance.now()
}

export function switchLanguage(): void {
  touched()
  lang.value = lang.value === 'zh' ? 'en' : 'zh'
}

export function present(text: string): void {
  touched()
  // The feed brings the result.
  call('POST', '/scans', { text, source: 'wedge', lane }).catch(() => happen({ type: 'failed', now: performance.now() }))
}

/** Rings for a guard. */
export async function help(): Promise<void> {
  touched()
  try {
    await call('POST', '/kiosk/calls', { lane })
  } catch {
    happen({ type: 'failed', now: performance.now() })
  }
}

/** Takes a call back. Where that does not work it is over already. */
export async function cancel(id: string): Promise<void> {
  touched()
  await call('POST', `/kiosk/calls/${encodeURIComponent(id)}/cancel`, {}).catch(() => undefined)
}
