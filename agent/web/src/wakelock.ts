// Keeps the screen on. The browser takes the lock away whenever the page is
// hidden, so it is taken again each time the page comes back.

export function keepAwake(): void {
  if (!navigator.wakeLock) return
  let held: WakeLockSentinel | null = null
  let asking = false
  const take = async (): Promise<void> => {
    if (document.visibilityState !== 'visible' || asking || (held && !held.released)) return
    asking = true
    try {
      held = await navigator.wakeLock.request('screen')
    } catch {
      // Low battery or a policy: the screen then follows the system's settings.
    } finally {
      asking = false
    }
  }
  document.addEventListener('visibilitychange', () => void take())
  void take()
}
