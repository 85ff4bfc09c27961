// A one-time code by text message: asking for it, and when it may be asked for
// again. The wait goes on while the person looks at another page.

import { post, refusalOf, type Refusal } from '@shared/api'
import type { CodeSent } from '@shared/types'
import { computed, onUnmounted, ref, type ComputedRef, type Ref } from 'vue'

const nextAt = new Map<string, number>() // by path

export interface Texted {
  /** Seconds until another code may be asked for. */
  wait: ComputedRef<number>
  sending: Ref<boolean>
  /** Minutes that the last code lasts; 0 = none was asked for here. */
  lasts: Ref<number>
  /** To a number; without one, to the person's own. */
  send(phone?: string): Promise<Refusal | null>
}

export function useTexted(path: '/login/code' | '/me/phone/code' | '/cards/me/password/code'): Texted {
  const now = ref(Date.now())
  const next = ref(nextAt.get(path) ?? 0)
  const sending = ref(false)
  const lasts = ref(0)
  const timer = setInterval(() => (now.value = Date.now()), 500)
  onUnmounted(() => clearInterval(timer))

  function hold(seconds: number): void {
    now.value = Date.now()
    next.value = now.value + seconds * 1000
    nextAt.set(path, next.value)
  }
  return {
    wait: computed(() => Math.min(600, Math.max(0, Math.ceil((next.value - now.value) / 1000)))),
    sending,
    lasts,
    async send(phone) {
      if (sending.value) return null
      sending.value = true
      try {
        const sent = await post<CodeSent>(path, phone === undefined ? {} : { phone })
        lasts.value = Math.max(1, Math.round(sent.expires_in / 60))
        hold(sent.resend_after)
        return null
      } catch (e) {
        const refusal = refusalOf(e)
        if (refusal.status === 429) hold(60)
        return refusal
      } finally {
        sending.value = false
      }
    },
  }
}

/** Whether these can be the digits of a mainland mobile number. */
export const isPhone = (text: string): boolean => /^1\d{10}$/.test(text)
