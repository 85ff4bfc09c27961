// The service worker, where there is one. Inside WeChat on iOS there is none:
// the pages work, and stay open, but do not start without a network.

import { ref } from 'vue'

/** A newer build is ready and waits until it is asked for. */
export const waiting = ref<ServiceWorker | null>(null)

export function startWorker(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  navigator.serviceWorker
    .register('/m/sw.js', { scope: '/m/', updateViaCache: 'none' })
    .then((registration) => {
      const look = (worker: ServiceWorker | null) => {
        if (!worker) return
        const now = () => worker.state === 'installed' && navigator.serviceWorker.controller && (waiting.value = worker)
        now()
        worker.addEventListener('statechange', now)
      }
      look(registration.waiting)
      registration.addEventListener('updatefound', () => look(registration.installing))
      document.addEventListener('visibilitychange', () => {
        if (document.visibilityState === 'visible') registration.update().catch(() => undefined)
      })
    })
    .catch(() => undefined) // such as a certificate that the browser does not trust
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (!asked) return // the first worker of all, or another tab asked: this page goes on
    asked = false
    location.reload()
  })
}

let asked = false

/** Lets the newer build take over; the page is loaded anew when it has. */
export function takeNewBuild(): void {
  asked = true
  waiting.value?.postMessage('take-over')
}
