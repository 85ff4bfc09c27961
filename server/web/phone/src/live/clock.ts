// The server's clock as seen from this phone. A code is good for half a minute,
// so a phone whose clock is wrong would show codes that no gate takes.

const stored = 'cg-clock'
const lasts = 7 * 86_400_000 // ms that an offset is believed without a new answer
const small = 2000 // ms; a Date header has whole seconds

interface Seen {
  offset: number // server minus phone
  at: number // by the phone
  slack: number // how far off it may be
}

let seen: Seen | undefined = recall()

function recall(): Seen | undefined {
  try {
    const s = JSON.parse(localStorage.getItem(stored) ?? '') as Seen
    return [s.offset, s.at, s.slack].every(Number.isFinite) ? s : undefined
  } catch {
    return undefined
  }
}

/** Takes in the Date header of an answer, and when its call began and ended. */
export function noteAnswer(date: number, began: number, ended: number): void {
  const slack = 500 + (ended - began) / 2
  if (ended < began || slack > 5000) return // the clock was set meanwhile, or the answer took too long
  const offset = date + 500 - (began + ended) / 2
  const still = seen && Math.abs(offset - seen.offset) <= seen.slack + slack && ended - seen.at < 600_000
  if (still && seen && slack >= seen.slack) return // what is known is finer
  seen = { offset, at: ended, slack }
  try {
    localStorage.setItem(stored, JSON.stringify(seen))
  } catch {
    // Known until the page is closed.
  }
}

/** How far the server is ahead of the phone, ms; 0 while that is small or not known. */
export function offset(now: number = Date.now()): number {
  if (!seen || Math.abs(seen.offset) < small) return 0
  // A phone that was set back or left alone for long may be right by now.
  return now < seen.at || now - seen.at > lasts ? 0 : seen.offset
}

/** The server's time, unix ms. */
export function serverNow(): number {
  const now = Date.now()
  return now + offset(now)
}
