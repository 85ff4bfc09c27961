// Keeps the screen on while a code is shown.

import { onMounted, onUnmounted } from 'vue'

export function useAwake(): void {
  let lock: { release(): Promise<void> } | undefined
  let mounted = false
  // A lock ends when the page is hidden, so it is taken again.
  async function take(): Promise<void> {
    if (!mounted || document.visibilityState !== 'visible' || !('wakeLock' in navigator)) return
    try {
      lock = await navigator.wakeLock.request('screen')
      if (!mounted) await lock.release()
    } catch {
      // Little battery, or not allowed.
    }
  }
  const again = () => void take()
  onMounted(() => {
    mounted = true
    again()
    document.addEventListener('visibilitychange', again)
  })
  onUnmounted(() => {
    mounted = false
    document.removeEventListener('visibilitychange', again)
    lock?.release().catch(() => undefined)
  })
}
