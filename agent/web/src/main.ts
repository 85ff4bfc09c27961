// One address, one entry: what the agent is decides which page this is. Each
// page is fetched by itself.

import { createApp, type Component } from 'vue'
import { recall, remember } from './memory'

async function page(): Promise<{ default: Component }> {
  if (location.pathname === '/customer') return import('./till/customer')
  return (await mode()) === 'terminal' ? import('./till/cashier') : import('./guard')
}

/** As the agent says, or said last where it does not answer; the page then says so. */
async function mode(): Promise<string | null> {
  try {
    const status = (await (await fetch('/api/v1/status')).json()) as { mode: string }
    remember('mode', status.mode)
    return status.mode
  } catch {
    return recall('mode')
  }
}

void page().then((p) => createApp(p.default).mount('#app'))
