// A code held in front of a camera is in many frames and is one scan.

/** As the agent does with its scanners: counted from the last sighting. */
export const WINDOW_MS = 1_000

export class Sightings {
  private readonly seen = new Map<string, number>()

  /** Whether a text was not seen within the window before now; notes this sighting. */
  isNew(text: string, now: number): boolean {
    for (const [other, at] of this.seen) {
      if (now - at >= WINDOW_MS) this.seen.delete(other)
    }
    const known = this.seen.has(text)
    this.seen.set(text, now)
    return !known
  }
}
