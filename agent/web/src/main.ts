// One address, one entry: what the agent is decides which page this is. Each
// page is fetched by itself.

import { createApp, type Component } from 'vue'
import { recall, remember } from './memory'

// A function for each: the build finds the styles of a page that way only.
const pages = {
  cashier: () => import('./till/cashier'),
  customer: () => import('./till/customer'),
  guard: () => import('./guard'),
  help: () => import('./help/help'),
  kiosk: () => import('./kiosk/kiosk'),
  service: () => import('./service'),
} satisfies Record<string, () => Promise<{ default: Component }>>

async function which(): Promise<keyof typeof pages> {
  const path = location.pathname
  if (path === '/customer') return 'customer'
  if (path.startsWith('/help/')) return 'help'
  const mode = await askMode()
  if (mode === 'terminal') return 'cashier'
  if (mode !== 'kiosk') return 'guard'
  return path === '/guard' ? 'service' : 'kiosk'
}

/** As the agent says, or said last where it does not answer; the page then says so. */
async function askMode(): Promise<string | null> {
  try {
    const status = (await (await fetch('/api/v1/status')).json()) as { mode: string }
    remember('mode', status.mode)
    return status.mode
  } catch {
    return recall('mode')
  }
}

async function show(): Promise<void> {
  const page = await pages[await which()]()
  createApp(page.default).mount('#app')
}

void show()
