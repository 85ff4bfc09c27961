// Adding the pages to the home screen.

import { shallowRef } from 'vue'

const stored = 'cg-install'

interface InstallPrompt extends Event {
  prompt(): Promise<unknown>
}

/** Where the pages are open. */
export const place: 'wechat' | 'ios' | 'other' = /MicroMessenger|wxwork/i.test(navigator.userAgent)
  ? 'wechat'
  : /iP(hone|ad|od)/.test(navigator.userAgent) ? 'ios' : 'other'

/** Lets the browser ask; null where it does not offer that. */
export const offer = shallowRef<(() => void) | null>(null)

addEventListener('beforeinstallprompt', (e) => {
  e.preventDefault() // it is asked where we explain it
  offer.value = () => {
    offer.value = null
    void (e as InstallPrompt).prompt()
  }
})
addEventListener('appinstalled', () => (offer.value = null))

/** Whether this is already opened from the home screen. */
export function installed(): boolean {
  return matchMedia('(display-mode: standalone)').matches || 'standalone' in navigator && navigator.standalone === true
}

export function hidden(): boolean {
  try {
    return localStorage.getItem(stored) === 'never'
  } catch {
    return true
  }
}

export function hide(): void {
  try {
    localStorage.setItem(stored, 'never')
  } catch {
    // Asked again the next time.
  }
}
