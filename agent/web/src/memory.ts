// Small settings that outlive a reload. A browser may forbid storage (in a
// frame of another origin, say); then nothing is remembered.

const PREFIX = 'campusgate.'

export function recall(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key)
  } catch {
    return null
  }
}

export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(PREFIX + key, value)
  } catch {
    // The setting holds until the page is closed.
  }
}
