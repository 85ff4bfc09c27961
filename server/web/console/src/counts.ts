// The numbers beside the menu's entries: what waits for me, and what is new.

import { reactive } from 'vue'
import { get } from '@shared/api'
import type { Box, RowList } from '@shared/types'
import { expired } from './session'

export type CountName = Box | 'unread'

/** The latest numbers; those not known are absent. */
export const counts = reactive<Partial<Record<CountName, number>>>({})

/** Asks for all of them. A failure leaves the old ones: nothing depends on them. */
export async function count(): Promise<void> {
  await Promise.allSettled([
    get<RowList>('/applications', { box: 'todo', size: 1 }).then((list) => Object.assign(counts, list.counts)),
    get<{ unread: number }>('/messages/count').then((answer) => (counts.unread = answer.unread)),
  ])
}

const every = 60_000
const idle = 15 * 60_000

/**
 * Counts now, every minute while the page is seen and somebody uses it, and when
 * it comes back to sight. A page that nobody uses asks nothing: asking would keep
 * the session alive. Returns what ends it.
 */
export function keepCounting(): () => void {
  let used = Date.now()
  const use = () => void (used = Date.now())
  const again = () => {
    if (document.visibilityState === 'visible' && !expired.value && Date.now() - used < idle) void count()
  }
  again()
  const timer = setInterval(again, every)
  const listeners = { visibilitychange: again, pointerdown: use, keydown: use }
  for (const [event, listener] of Object.entries(listeners)) document.addEventListener(event, listener)
  return () => {
    clearInterval(timer)
    for (const [event, listener] of Object.entries(listeners)) document.removeEventListener(event, listener)
  }
}
