// The key that a guard's login at a kiosk gave to this page. It lives as long as
// the tab, so that the kiosk's own page beside it does not have it.

import { ref } from 'vue'

const NAME = 'campusgate.key'

export const guardKey = ref(recall())

function recall(): string {
  try {
    return sessionStorage.getItem(NAME) ?? ''
  } catch {
    return ''
  }
}

/** Keeps a key; "" forgets it. */
export function keepKey(key: string): void {
  guardKey.value = key
  try {
    if (key) sessionStorage.setItem(NAME, key)
    else sessionStorage.removeItem(NAME)
  } catch {
    // It holds until the page is loaded again.
  }
}
