// Light, dark, or as the device has it.

import { ref, watchEffect } from 'vue'
import { recall, remember } from './memory'

export type Theme = 'auto' | 'light' | 'dark'

const themes: readonly Theme[] = ['auto', 'light', 'dark']

/** What the person chose. */
export const theme = ref<Theme>(themes.find((one) => one === recall('theme')) ?? 'auto')

const device = window.matchMedia('(prefers-color-scheme: dark)')
const deviceDark = ref(device.matches)

/** The choice after this one. */
export function nextTheme(now: Theme): Theme {
  return themes[(themes.indexOf(now) + 1) % themes.length] ?? 'auto'
}

/** Keeps the document in step with the choice and the device. Call it once. */
export function followTheme(): void {
  device.addEventListener('change', (e) => (deviceDark.value = e.matches))
  const dress = (paper = false) => {
    const dark = theme.value === 'dark' || (theme.value === 'auto' && deviceDark.value)
    document.documentElement.classList.toggle('dark', dark && !paper)
  }
  watchEffect(() => {
    remember('theme', theme.value)
    dress()
  })
  addEventListener('beforeprint', () => dress(true))
  addEventListener('afterprint', () => dress())
}
