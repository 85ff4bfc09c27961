// What the browser remembers of this person's habits: columns, colours, the
// size of a list. Nothing of anybody else, and nothing that is needed.

const prefix = 'cg-console-'

/** What was remembered, null if nothing was. */
export function recall(key: string): string | null {
  try {
    return localStorage.getItem(prefix + key)
  } catch {
    return null // a browser that keeps nothing
  }
}

/** Remembers a word until it is changed. */
export function remember(key: string, value: string): void {
  try {
    localStorage.setItem(prefix + key, value)
  } catch {
    // It lasts until the page is closed.
  }
}
