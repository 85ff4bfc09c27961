// The camera of the computer as a scanner. One per page: start it, and every code
// that is held in front of it comes once. Frames never leave the computer; they
// are read in a worker where the browser can, and by the agent where it cannot.

import { ref, shallowRef } from 'vue'
import { recall, remember } from './memory'
import { frameReader } from './frames'
import { Sightings } from './sightings'

/** Why there is no picture. */
export type Trouble = 'denied' | 'none' | 'busy' | 'unplugged' | 'forbidden' | 'failed'

const FRAMES_PER_SECOND = 10
/** A camera that is busy or gone may come back. */
const RETRY_MS = 2_000
const WIDTH = 640
const HEIGHT = 480

/** What getUserMedia throws, in our words. */
export function troubleOf(name: string): Trouble {
  switch (name) {
    case 'NotAllowedError':
      return 'denied'
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'none'
    case 'NotReadableError':
    case 'AbortError':
      return 'busy'
    case 'SecurityError':
    case 'TypeError':
      return 'forbidden'
    default:
      return 'failed'
  }
}

/** Whether the guard wants the camera on; it survives a reload. */
export const wanted = ref(recall('camera') === 'on')
/** The picture, while there is one. */
export const picture = shallowRef<MediaStream | null>(null)
export const trouble = ref<Trouble | null>(null)
/** The cameras that there are; they have names once one was allowed. */
export const cameras = ref<{ id: string; name: string }[]>([])
/** The camera to use, "" being any. */
export const chosen = ref(recall('camera-id') ?? '')
/** A camera that looks at the person in front of the screen shows them as a mirror does. */
export const mirrored = ref(true)

let report: (text: string) => void = () => {}
/** Outlives the picture: a code is not shown again because the camera was. */
const sightings = new Sightings()
let retry = 0
/** Counts openings, so that one that was overtaken gives its camera back. */
let opening = 0

/** Names who hears the codes, and starts the camera if it was on before. */
export function listenToCamera(hear: (text: string) => void): void {
  report = hear
  document.addEventListener('visibilitychange', () => void follow())
  navigator.mediaDevices?.addEventListener('devicechange', () => void (picture.value ? list() : follow()))
  void follow()
}

export function switchCamera(on: boolean): void {
  wanted.value = on
  remember('camera', on ? 'on' : 'off')
  void follow()
}

export function chooseCamera(id: string): void {
  chosen.value = id
  remember('camera-id', id)
  close()
  void follow()
}

/** Brings the camera to what is wanted: on, unless nobody looks at the page. */
async function follow(): Promise<void> {
  clearTimeout(retry)
  if (!wanted.value || document.hidden) {
    close()
    if (!wanted.value) trouble.value = null
  } else if (!picture.value) {
    await open()
  }
}

async function open(): Promise<void> {
  const mine = ++opening
  try {
    if (!navigator.mediaDevices) throw new DOMException('', 'SecurityError')
    const stream = await ask()
    if (mine !== opening) return stop(stream)
    picture.value = stream
    trouble.value = null
    const track = stream.getVideoTracks()[0]!
    mirrored.value = track.getSettings().facingMode !== 'environment'
    track.addEventListener('ended', () => {
      if (picture.value !== stream) return
      close()
      lost('unplugged')
    })
    void list()
    void read(stream)
  } catch (error) {
    if (mine === opening) lost(troubleOf(error instanceof Error || error instanceof DOMException ? error.name : ''))
  }
}

/** The chosen camera, or any where that one is not there. */
async function ask(): Promise<MediaStream> {
  const size = { width: { ideal: WIDTH }, height: { ideal: HEIGHT }, frameRate: { ideal: 15 } }
  if (chosen.value) {
    try {
      return await navigator.mediaDevices.getUserMedia({ video: { ...size, deviceId: { exact: chosen.value } } })
    } catch (error) {
      if (!(error instanceof Error) || !['OverconstrainedError', 'NotFoundError'].includes(error.name)) throw error
    }
  }
  return navigator.mediaDevices.getUserMedia({ video: size })
}

function lost(why: Trouble): void {
  trouble.value = why
  // A question that was answered with no is not asked again by itself.
  if (why !== 'denied' && why !== 'forbidden') retry = window.setTimeout(() => void follow(), RETRY_MS)
}

async function list(): Promise<void> {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices()
    cameras.value = devices.filter((d) => d.kind === 'videoinput').map((d) => ({ id: d.deviceId, name: d.label }))
  } catch {
    cameras.value = [] // the one that runs needs no list
  }
}

function stop(stream: MediaStream): void {
  for (const track of stream.getTracks()) track.stop()
}

function close(): void {
  opening++
  if (picture.value) stop(picture.value)
  picture.value = null
}

/** Reads frames, one after the other, until the picture is another. */
async function read(stream: MediaStream): Promise<void> {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = stream
  const canvas = document.createElement('canvas')
  const pen = canvas.getContext('2d', { willReadFrequently: true })!
  await video.play().catch(() => {}) // a page that was left at once
  while (picture.value === stream) {
    const next = performance.now() + 1000 / FRAMES_PER_SECOND
    if (video.videoWidth > 0) {
      const scale = Math.min(1, WIDTH / Math.min(video.videoWidth, WIDTH * 2))
      canvas.width = Math.round(video.videoWidth * scale)
      canvas.height = Math.round(video.videoHeight * scale)
      pen.drawImage(video, 0, 0, canvas.width, canvas.height)
      for (const text of await frameReader.read(canvas, pen)) {
        if (picture.value === stream && sightings.isNew(text, performance.now())) report(text)
      }
    }
    await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())))
  }
  video.srcObject = null
}
