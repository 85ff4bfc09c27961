import { onUnmounted } from 'vue'
import { expired } from './session'

/**
 * Looks now, every so many ms, and when the page is seen again, until the component
 * goes; not while nobody sees the page or is logged in.
 */
export function watching(every: number, look: () => Promise<void>): void {
  const again = (): void => {
    if (document.visibilityState === 'visible' && !expired.value) void look()
  }
  again()
  const timer = setInterval(again, every)
  document.addEventListener('visibilitychange', again)
  onUnmounted(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', again)
  })
}
