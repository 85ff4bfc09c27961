// The code on the screen: a new one every ten seconds and whenever the page comes
// back to the front, with the time that is left.

import { refusalOf, type Refusal } from '@shared/api'
import { onMounted, onUnmounted, ref, shallowRef, type Ref, type ShallowRef } from 'vue'
import { serverNow } from './clock'
import type { Ticket } from './ticket'
import { enrol, phoneCode, renew, serverCode, standing, type Shown, type Standing } from './wallet'

const early = 5000 // ms before a server's code ends, to have the next one in time
const pause = 4000 // ms between attempts without a network

export interface Live {
  standing: Ref<Standing | 'wait'>
  code: Ref<string>
  /** Whether the code says that its holder has confirmed it. */
  confirmed: Ref<boolean>
  /** Whole seconds until the next. */
  left: Ref<number>
  /** Why there is no code just now. */
  error: ShallowRef<Refusal | null>
  /** Whether the person's tap is being worked on. */
  busy: Ref<boolean>
  /** Makes this phone the one of the ticket. */
  move(): Promise<boolean>
  refresh(): void
  /**
   * Shows a confirmed code at once, and only that one. Without a key store the
   * server makes it, and checks the password: the error is a Refusal.
   */
  confirm(password: string): Promise<void>
  /** The server said something new of the ticket. */
  again(): Promise<void>
}

/**
 * Shows the live code of a ticket while the page is mounted. fresh says that
 * the server has just told how the pass stands.
 */
export function useLive(ticket: () => Ticket | null, fresh: () => boolean, owner: () => string): Live {
  const where = ref<Standing | 'wait'>('wait')
  const code = ref('')
  const confirmed = ref(false)
  const left = ref(0)
  const error = shallowRef<Refusal | null>(null)
  const busy = ref(false)
  let shown: Shown | undefined
  let making = false
  let turn = 0
  let notBefore = 0
  let timer: ReturnType<typeof setInterval> | undefined

  async function again(): Promise<void> {
    const p = ticket()
    if (!p) {
      shown = undefined
      code.value = ''
      return
    }
    await renew(p, owner())
    where.value = await standing(p, owner())
    // No phone has it, so taking it takes it from nobody.
    if (where.value === 'new' && p.phone === '' && fresh()) await move()
    else await tick()
  }

  async function move(): Promise<boolean> {
    const p = ticket()
    if (!p || busy.value) return false
    busy.value = true
    error.value = null
    try {
      await enrol(p, owner())
      where.value = 'ready'
      shown = undefined
      await tick()
      return true
    } catch (e) {
      error.value = refusalOf(e)
      return false
    } finally {
      busy.value = false
    }
  }

  async function tick(): Promise<void> {
    const p = ticket()
    if (!p || (where.value !== 'ready' && where.value !== 'server')) return
    const now = serverNow()
    const ahead = where.value === 'server' ? early : 0
    // A clock that was set back makes a new code too.
    const over = !shown || now >= shown.until - ahead || shown.until - now > 125_000
    if (over && !making && Date.now() >= notBefore && document.visibilityState !== 'hidden') await make(p)
    const rest = shown ? shown.until - serverNow() : 0
    left.value = Math.max(0, Math.ceil(rest / 1000))
    if (shown && rest <= 0) code.value = '' // never one that no gate takes
  }

  async function make(p: Ticket): Promise<void> {
    making = true
    const mine = ++turn
    try {
      const made = where.value === 'server' ? await serverCode(p) : await phoneCode(p, owner())
      if (mine === turn) show(made, false)
    } catch (e) {
      error.value = refusalOf(e)
      notBefore = Date.now() + (error.value.offline ? pause : 8 * pause)
      if (where.value === 'ready') where.value = await standing(p, owner())
    } finally {
      making = false
    }
  }

  function show(made: Shown, byHolder: boolean): void {
    shown = made
    code.value = made.code
    confirmed.value = byHolder
    error.value = null
  }

  async function confirm(password: string): Promise<void> {
    const p = ticket()
    if (!p) return
    const made = where.value === 'server' ? await serverCode(p, password) : await phoneCode(p, owner(), true)
    turn++ // whatever is being made comes too late
    show(made, true)
    await tick()
  }

  function refresh(): void {
    shown = undefined
    notBefore = 0
    void tick()
  }

  function front(): void {
    if (document.visibilityState !== 'visible') return
    if (where.value === 'ready') refresh()
    else void again()
  }

  onMounted(() => {
    timer = setInterval(() => void tick(), 250)
    document.addEventListener('visibilitychange', front)
    addEventListener('pageshow', front)
    addEventListener('online', front)
  })
  onUnmounted(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', front)
    removeEventListener('pageshow', front)
    removeEventListener('online', front)
  })
  return { standing: where, code, confirmed, left, error, busy, move, refresh, confirm, again }
}
