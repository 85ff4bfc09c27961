// Reads the codes of a frame: in a worker where that works, by the agent where it
// does not. What does not work is found out once.

export type Pen = CanvasRenderingContext2D

/** A worker that has not answered by then never will. */
const WORKER_MS = 10_000
/** Of the frames that go to the agent; codes survive it. */
const JPEG_QUALITY = 0.8

type Reader = (canvas: HTMLCanvasElement, pen: Pen) => Promise<string[]>

/** What the worker says: the texts of a frame, or that it cannot read any. */
export type Answer = { texts: string[] } | { failed: string }

function inWorker(): Reader {
  const worker = new Worker(new URL('./frames.worker.ts', import.meta.url), { type: 'module' })
  return (canvas, pen) =>
    new Promise((done, fail) => {
      const frame = pen.getImageData(0, 0, canvas.width, canvas.height)
      const late = setTimeout(() => end(new Error('the worker does not answer')), WORKER_MS)
      const end = (result: string[] | Error): void => {
        clearTimeout(late)
        worker.onmessage = worker.onerror = null
        if (Array.isArray(result)) return done(result)
        worker.terminate()
        fail(result)
      }
      worker.onmessage = (event: MessageEvent<Answer>) => end('texts' in event.data ? event.data.texts : new Error(event.data.failed))
      worker.onerror = (event) => end(new Error(event.message))
      worker.postMessage(frame, [frame.data.buffer])
    })
}

/** A frame that the agent has no time for is followed by another. */
const byAgent: Reader = async (canvas) => {
  const body = await new Promise<Blob | null>((done) => canvas.toBlob(done, 'image/jpeg', JPEG_QUALITY))
  try {
    const response = await fetch('/api/v1/frames', { method: 'POST', headers: { 'Content-Type': 'image/jpeg' }, body })
    return response.ok ? ((await response.json()) as { texts: string[] }).texts : []
  } catch {
    return []
  }
}

export class FrameReader {
  private reader: Reader | null = null

  constructor(
    private readonly start: () => Reader = inWorker,
    private readonly otherwise: Reader = byAgent,
  ) {}

  async read(canvas: HTMLCanvasElement, pen: Pen): Promise<string[]> {
    try {
      this.reader ??= this.start()
      return await this.reader(canvas, pen)
    } catch (error) {
      if (this.reader === this.otherwise) return []
      console.warn('frames are read by the agent:', error)
      this.reader = this.otherwise
      return this.read(canvas, pen)
    }
  }
}

export const frameReader = new FrameReader()
