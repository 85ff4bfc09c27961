// One address, one entry: what the agent is decides which page this is. Each
// page is fetched by itself.

import { createApp, type Component } from 'vue'
import { recall, remember } from './memory'

async function page(): Promise<{ default: Component }> {
  const path = location.pathname
  if (path === '/customer') return import('./till/customer')
  if (path.startsWith('/help/')) return import('./help/help')
  const mode = await askMode()
  if (mode === 'terminal') return import('./till/cashier')
  if (mode === 'kiosk') return path === '/guard' ? import('./service') : import('./kiosk/kiosk')
  return import('./guard')
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

void page().then((p) => createApp(p.default).mount('#app'))
