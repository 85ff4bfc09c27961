// The worker that reads frames: with the browser's own detector where it has one,
// otherwise with ZXing, whose WebAssembly comes from the agent as everything does.

import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader'
import wasm from 'zxing-wasm/reader/zxing_reader.wasm?url'
import type { Answer } from './frames'

interface Detector {
  detect(frame: ImageData): Promise<{ rawValue: string }[]>
}
interface DetectorClass {
  new (options: { formats: string[] }): Detector
  getSupportedFormats(): Promise<string[]>
}

type Read = (frame: ImageData) => Promise<string[]>

async function ownDetector(): Promise<Read | null> {
  const Own = (globalThis as { BarcodeDetector?: DetectorClass }).BarcodeDetector
  if (!Own || !(await Own.getSupportedFormats()).includes('qr_code')) return null
  const detector = new Own({ formats: ['qr_code'] })
  return async (frame) => (await detector.detect(frame)).map((c) => c.rawValue)
}

async function zxing(): Promise<Read> {
  await prepareZXingModule({ overrides: { locateFile: () => wasm }, fireImmediately: true })
  return async (frame) => {
    const codes = await readBarcodes(frame, { formats: ['QRCode'], maxNumberOfSymbols: 4, textMode: 'Plain' })
    return codes.filter((c) => c.isValid && c.sequenceSize < 2).map((c) => c.text)
  }
}

/** The detector of the system may be missing only when it is first used. */
async function best(): Promise<Read> {
  const own = await ownDetector().catch(() => null)
  if (!own) return zxing()
  let other: Promise<Read> | null = null
  return (frame) => (other ? other.then((read) => read(frame)) : own(frame).catch(() => (other ??= zxing()).then((read) => read(frame))))
}

const reading = best()

addEventListener('message', (event: MessageEvent<ImageData>) => {
  reading
    .then((read) => read(event.data))
    .then(
      (texts): Answer => ({ texts: texts.filter((t) => t !== '') }),
      (error: unknown): Answer => ({ failed: String(error) }),
    )
    .then((answer) => postMessage(answer))
})
