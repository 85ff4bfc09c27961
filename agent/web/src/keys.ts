// One listener for the whole keyboard, before anything else on the page: it
// lifts scans out of the stream of keys and hands single keys on as shortcuts.

import { fieldOf, putBack, remember, type, type Before } from './fields'
import { STALL_MS, Wedge, type Answer } from './wedge'

/** A single key is a command only when no other follows so soon: a scan begins with single keys too. */
export const SHORTCUT_MS = 90

/** The name of a shortcut: a digit, a lower-case letter, "?", "Enter" or "Escape", whatever the layout. */
function nameOf(e: KeyboardEvent): string {
  const m = /^(?:Key([A-Z])|(?:Digit|Numpad)([0-9]))$/.exec(e.code)
  if (m && !(m[2] && e.shiftKey)) return (m[1] ?? m[2]!).toLowerCase()
  return e.key
}

export function listenToKeys(on: { scan: (text: string) => void; shortcut: (name: string) => void }): void {
  const wedge = new Wedge()
  let before: Before | null = null
  let expiry = 0
  let command = 0
  let pending: (() => void) | null = null

  const settle = (a: Answer): void => {
    if (before && a.release) type(before.field, a.release)
    if (before && (a.caught || a.scan)) putBack(before)
    if (a.scan) {
      before = null
      on.scan(a.scan)
    }
  }

  window.addEventListener(
    'keydown',
    (e) => {
      if (e.ctrlKey || e.altKey || e.metaKey) return
      clearTimeout(command)
      const hurried = pending
      pending = null
      if (e.repeat) {
        // A person leaning on a key. Scanners let go of each key.
        if (wedge.sure) e.preventDefault()
        return
      }
      const field = fieldOf(e.target)
      if (!wedge.continues(e.timeStamp)) before = field && remember(field)
      const a = wedge.feed({ key: e.key, code: e.code, shift: e.shiftKey, at: e.timeStamp })
      if (a.hold) {
        e.preventDefault()
        e.stopImmediatePropagation()
      }
      settle(a)
      clearTimeout(expiry)
      if (wedge.holding || wedge.sure) expiry = window.setTimeout(() => settle(wedge.expire()), STALL_MS)
      if (a.hold || field) return
      const name = nameOf(e)
      if (e.key === 'Escape') on.shortcut(name)
      else if (e.key === 'Enter') {
        // No scan is one key long, so the key before it was a command.
        hurried?.()
        // On a button it presses that button.
        if (!(e.target instanceof HTMLButtonElement)) on.shortcut(name)
      } else if (name.length === 1) {
        pending = () => {
          pending = null
          on.shortcut(name)
        }
        command = window.setTimeout(pending, SHORTCUT_MS)
      }
    },
    { capture: true },
  )
}
