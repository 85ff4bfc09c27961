// A keyboard-wedge scanner types its code like a very fast person. This module
// tells the two apart, so that a scan works wherever the focus is and leaves no
// character behind, while a person's typing is never touched.

/** Two keys closer than this may come from a scanner. */
export const GAP_MS = 50
/** From here on keys are held back from the page. */
export const HOLD_AT = 3
/** So many fast keys are no person's: the sequence is a scan for certain. */
export const SURE_AT = 8
/** How long a sure scan may stutter before it is over. */
export const STALL_MS = 400
/** Longer than any code; the rest of an endless sequence is dropped. */
export const MAX_LENGTH = 4500

/** A key, as the detector needs it. `at` is the time of the key press in ms. */
export interface Key {
  key: string
  code: string
  shift: boolean
  at: number
}

/** What to do with the key that was just fed in. */
export interface Answer {
  /** Keep the key from the page. */
  hold: boolean
  /** The sequence has just become a scan: undo what slipped through before. */
  caught?: boolean
  /** A complete code. */
  scan?: string
  /** Characters that were held and turn out to be a person's: type them. */
  release?: string
}

const shifted: Record<string, string> = {
  Digit1: '!', Digit2: '@', Digit3: '#', Digit4: '$', Digit5: '%', Digit6: '^', Digit7: '&', Digit8: '*',
  Digit9: '(', Digit0: ')', Minus: '_', Equal: '+', Semicolon: ':', Quote: '"', Comma: '<', Period: '>',
  Slash: '?', Backslash: '|', BracketLeft: '{', BracketRight: '}', Backquote: '~',
}
const plain: Record<string, string> = {
  Minus: '-', Equal: '=', Semicolon: ';', Quote: "'", Comma: ',', Period: '.', Slash: '/', Backslash: '\\',
  BracketLeft: '[', BracketRight: ']', Backquote: '`', Space: ' ', NumpadAdd: '+', NumpadSubtract: '-',
  NumpadMultiply: '*', NumpadDivide: '/', NumpadDecimal: '.',
}

/** The character that a key has on a US keyboard, which is what scanners imitate; "" for other keys. */
export function usCharacter(code: string, shift: boolean): string {
  const letter = /^Key([A-Z])$/.exec(code)
  if (letter) return letter[1]!
  if (shift && shifted[code]) return shifted[code]
  const digit = /^(?:Digit|Numpad)([0-9])$/.exec(code)
  if (digit) return digit[1]!
  return plain[code] ?? ''
}

const looksLikeCode = /^(CP1:|HTTPS?:\/\/)/

/**
 * Makes one code of what was typed, read both ways: by the characters that the
 * computer's layout gave, and by the keys' places on a US keyboard. Our codes
 * are upper case throughout, so that Caps Lock, a full-width input method or
 * another layout do no harm. What is no code of ours stays as it was typed.
 */
export function restore(typed: string, placed: string): string {
  for (const candidate of [typed, placed]) {
    const upper = candidate.normalize('NFKC').toUpperCase().trim()
    if (looksLikeCode.test(upper)) return upper
  }
  return typed || placed
}

export class Wedge {
  private typed = ''
  private placed = ''
  private held = ''
  private count = 0
  private last = -Infinity
  /** Set after a finished scan: the Tab or Enter that some scanners add once more. */
  private finishedAt = -Infinity

  /** Whether the sequence so far is a scan for certain. */
  get sure(): boolean {
    return this.count >= SURE_AT
  }

  /** Whether keys are being held back. While this or sure is true, the caller calls expire after STALL_MS of silence. */
  get holding(): boolean {
    return this.held !== ''
  }

  /** Whether a key at this time belongs to the sequence so far. */
  continues(at: number): boolean {
    return at - this.last <= (this.sure ? STALL_MS : GAP_MS)
  }

  feed(k: Key): Answer {
    const enter = k.key === 'Enter' || k.key === 'Tab'
    if (enter && k.at - this.finishedAt <= GAP_MS) return { hold: true }
    const goesOn = this.continues(k.at)
    if (enter) {
      if (this.sure && goesOn) {
        this.finishedAt = k.at
        return { hold: true, scan: this.take() }
      }
      return { hold: false, release: this.drop() }
    }
    const character = k.key.length === 1 ? k.key : ''
    const place = usCharacter(k.code, k.shift)
    if (!character && !place) return { hold: false } // Shift, arrows and so on
    const release = goesOn ? '' : this.drop()
    this.last = k.at
    this.count++
    if (this.typed.length < MAX_LENGTH) {
      this.typed += character
      this.placed += place
    }
    const hold = this.count >= HOLD_AT
    if (hold && !this.sure) this.held += character
    const caught = this.count === SURE_AT
    if (caught) this.held = ''
    return { hold, ...(caught && { caught }), ...(release && { release }) }
  }

  /**
   * Ends a sequence after which nothing more came. A scanner that sends no Enter
   * is recognised by what it sent.
   */
  expire(): Answer {
    if (this.sure) {
      const text = this.take()
      return looksLikeCode.test(text) ? { hold: true, scan: text } : { hold: true }
    }
    return { hold: false, release: this.drop() }
  }

  private take(): string {
    const text = restore(this.typed, this.placed)
    this.drop()
    return text
  }

  private drop(): string {
    const held = this.sure ? '' : this.held
    this.typed = this.placed = this.held = ''
    this.count = 0
    this.last = -Infinity
    return held
  }
}
