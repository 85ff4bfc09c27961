// Four sounds that nobody takes for another, made on the spot so that nothing
// has to be loaded. A browser lets a page sound only after a key or a click.

import { ref } from 'vue'
import { recall, remember } from './memory'
import type { Cue } from './state'

export interface Note {
  hz: number
  /** Seconds after the cue. */
  at: number
  seconds: number
  wave: OscillatorType
  gain: number
}

/** A refusal is low, rough and the longest; an admission is short and rises. */
export const sounds: Record<Cue, Note[]> = {
  granted: [
    { hz: 880, at: 0, seconds: 0.1, wave: 'sine', gain: 0.5 },
    { hz: 1318.5, at: 0.1, seconds: 0.18, wave: 'sine', gain: 0.5 },
  ],
  question: [
    { hz: 659.3, at: 0, seconds: 0.16, wave: 'triangle', gain: 0.6 },
    { hz: 987.8, at: 0.18, seconds: 0.16, wave: 'triangle', gain: 0.6 },
    { hz: 659.3, at: 0.36, seconds: 0.16, wave: 'triangle', gain: 0.6 },
  ],
  attention: [
    { hz: 740, at: 0, seconds: 0.13, wave: 'square', gain: 0.22 },
    { hz: 740, at: 0.22, seconds: 0.13, wave: 'square', gain: 0.22 },
    { hz: 740, at: 0.44, seconds: 0.13, wave: 'square', gain: 0.22 },
  ],
  denied: [
    { hz: 196, at: 0, seconds: 0.42, wave: 'sawtooth', gain: 0.4 },
    { hz: 147, at: 0.46, seconds: 0.64, wave: 'sawtooth', gain: 0.4 },
  ],
}

/** A call for help rings like a telephone, which none of the others does. */
export const ringing: Note[] = [0, 0.08, 0.16, 0.24, 0.55, 0.63, 0.71, 0.79].map((at, i) => ({
  hz: i % 2 ? 1046.5 : 830.6, at, seconds: 0.085, wave: 'sine', gain: 0.55,
}))

export const lengthOf = (cue: Cue): number => Math.max(...sounds[cue].map((n) => n.at + n.seconds))

export const muted = ref(recall('muted') === 'yes')
/** Whether the browser lets the page sound. */
export const audible = ref(false)

let audio: AudioContext | null = null

/** Asks for sound. Harmless before a gesture, and again at any time. */
export function unlock(): void {
  if (!window.AudioContext) return
  if (!audio) {
    audio = new AudioContext()
    audio.onstatechange = () => (audible.value = audio?.state === 'running')
  }
  audible.value = audio.state === 'running'
  // Refused without a gesture; the banner then stays.
  if (!audible.value) audio.resume().catch(() => undefined)
}

/** Follows the first key or click of a shift, and any later one after the sound was taken away. */
export function unlockOnGesture(): void {
  const tryIt = (): void => {
    if (!audible.value) unlock()
  }
  for (const gesture of ['keydown', 'pointerdown'] as const) window.addEventListener(gesture, tryIt, { capture: true })
  tryIt()
}

export const play = (cue: Cue): void => make(sounds[cue])
export const ring = (): void => make(ringing)

function make(notes: Note[]): void {
  if (muted.value || !audio || audio.state !== 'running') return
  const out = audio.createGain()
  out.gain.value = 0.9
  out.connect(audio.destination)
  const start = audio.currentTime + 0.01
  for (const note of notes) {
    const osc = audio.createOscillator()
    const level = audio.createGain()
    osc.type = note.wave
    osc.frequency.value = note.hz
    // Short ramps: a tone that is switched hard clicks.
    level.gain.setValueAtTime(0, start + note.at)
    level.gain.linearRampToValueAtTime(note.gain, start + note.at + 0.012)
    level.gain.setValueAtTime(note.gain, start + note.at + note.seconds - 0.04)
    level.gain.linearRampToValueAtTime(0, start + note.at + note.seconds)
    osc.connect(level).connect(out)
    osc.start(start + note.at)
    osc.stop(start + note.at + note.seconds + 0.02)
  }
}

export function toggleMute(): void {
  muted.value = !muted.value
  remember('muted', muted.value ? 'yes' : 'no')
  if (!muted.value) play('granted')
}
