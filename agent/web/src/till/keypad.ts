// The keyboard of a till: a numeric keypad and perhaps a scanner that types.
// What comes at a scanner's speed is a code and never an amount, so a key counts
// only once it is certain that no scan goes on from it.

import { fieldOf, putBack, remember, type, type Before } from '../fields'
import { GAP_MS, HOLD_AT, STALL_MS, Wedge, type Answer, type Key } from '../wedge'
import type { PadKey } from './draft'

/** After so much silence a key was a person's. */
export const QUIET_MS = GAP_MS + 30

/** What comes of a key. */
export interface Stroke extends Answer {
  /** Keys that are certain to be a person's, in order. */
  pressed: PadKey[]
  /** Too fast for a person and too short for a code. */
  garbled?: boolean
}

/** The keypad key of an event, whatever the layout, Num Lock and input method say. */
export function padKeyOf(e: { key: string; code: string; shiftKey: boolean }): PadKey | null {
  const digit = /^(Digit|Numpad)([0-9])$/.exec(e.code)
  if (digit && (digit[1] === 'Numpad' || !e.shiftKey)) return digit[2] as PadKey
  const named: Record<string, PadKey> = {
    NumpadAdd: '+', NumpadSubtract: '-', NumpadMultiply: '*', NumpadDivide: '/', NumpadDecimal: '.', NumpadComma: '.',
    NumpadEnter: 'Enter', Enter: 'Enter', Escape: '-', Backspace: '-', Period: '.',
  }
  const key = named[e.code]
  if (key && !e.shiftKey) return key
  return /^[0-9.+\-*/]$/.test(e.key) ? (e.key as PadKey) : e.key === 'Enter' ? 'Enter' : null
}

export class Keypad {
  private readonly wedge = new Wedge()
  private waiting: PadKey[] = []
  private count = 0
  /** A sequence with a letter in it is none of a keypad's. */
  private foreign = false

  get sure(): boolean {
    return this.wedge.sure
  }

  /** Whether keys wait for silence or for their end. */
  get busy(): boolean {
    return this.wedge.sure || this.wedge.holding || this.waiting.length > 0
  }

  continues(at: number): boolean {
    return this.wedge.continues(at)
  }

  /** `pad` is null where the key is none of a keypad's, or goes into a field. */
  feed(key: Key, pad: PadKey | null): Stroke {
    const goesOn = this.wedge.continues(key.at)
    const pressed = goesOn ? [] : this.rest()
    if (!goesOn) {
      this.count = 0
      this.foreign = false
    }
    const fast = this.count
    const answer = this.wedge.feed(key)
    if (pad === 'Enter' || key.key === 'Tab') {
      const garbled = !answer.hold && (this.foreign || fast >= HOLD_AT)
      if (answer.hold || garbled) this.waiting = []
      pressed.push(...this.rest())
      if (!answer.hold && !garbled && pad === 'Enter') pressed.push('Enter')
      return { ...answer, pressed, ...(garbled && { garbled }) }
    }
    if (key.key.length === 1 || pad) this.count++
    if (key.key.length === 1 && !pad) this.foreign = true
    if (this.wedge.sure || this.foreign) this.waiting = []
    else if (pad) this.waiting.push(pad)
    return { ...answer, pressed }
  }

  /** Nothing more came for QUIET_MS: what waits was a person's. */
  rest(): PadKey[] {
    const keys = this.waiting
    this.waiting = []
    return keys
  }

  /** Nothing more came for STALL_MS. */
  expire(): Stroke {
    return { ...this.wedge.expire(), pressed: this.rest() }
  }
}

/** Where the keys go. */
export interface Hands {
  scan(text: string): void
  press(key: PadKey): void
  garbled(): void
}

/** A button that was reached with the Tab key takes Enter; one that was only touched does not. */
const takesEnter = (target: EventTarget | null): boolean => target instanceof HTMLButtonElement && target.matches(':focus-visible')

export function listenToKeypad(hands: Hands): void {
  const keypad = new Keypad()
  let before: Before | null = null
  let quiet = 0
  let expiry = 0

  const settle = (s: Stroke): void => {
    if (before && s.release) type(before.field, s.release)
    if (before && (s.caught || s.scan)) putBack(before)
    for (const key of s.pressed) hands.press(key)
    if (s.garbled && !before) hands.garbled()
    if (s.scan) {
      before = null
      hands.scan(s.scan)
    }
  }

  const rest = (): void => {
    if (!keypad.sure) for (const key of keypad.rest()) hands.press(key)
  }

  // What is touched comes after what was typed.
  window.addEventListener('pointerdown', rest, { capture: true })
  window.addEventListener(
    'keydown',
    (e) => {
      if (e.ctrlKey || e.altKey || e.metaKey) return
      if (e.repeat) {
        if (keypad.sure) e.preventDefault()
        return
      }
      clearTimeout(quiet)
      clearTimeout(expiry)
      const field = fieldOf(e.target)
      if (!keypad.continues(e.timeStamp)) before = field && remember(field)
      const pad = field || (e.key === 'Enter' && takesEnter(e.target)) ? null : padKeyOf(e)
      const s = keypad.feed({ key: e.key, code: e.code, shift: e.shiftKey, at: e.timeStamp }, pad)
      // Keys of the pad have no other meaning: "/" would open a browser's search, Enter press a button.
      if (s.hold || pad) e.preventDefault()
      if (s.hold) e.stopImmediatePropagation()
      settle(s)
      if (keypad.busy) {
        quiet = window.setTimeout(rest, QUIET_MS)
        expiry = window.setTimeout(() => settle(keypad.expire()), STALL_MS)
      }
    },
    { capture: true },
  )
}
