import { expect, it, vi } from 'vitest'
import { FrameReader } from './frames'
import { troubleOf } from './camera'

const canvas = {} as HTMLCanvasElement
const pen = {} as CanvasRenderingContext2D

it('reads with the worker as long as it works', async () => {
  const agent = vi.fn(async () => ['agent'])
  const reader = new FrameReader(() => async () => ['worker'], agent)
  expect([await reader.read(canvas, pen), await reader.read(canvas, pen)]).toEqual([['worker'], ['worker']])
  expect(agent).not.toHaveBeenCalled()
})

it('reads by the agent once the worker has failed, the same frame too', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const worker = vi.fn(async () => Promise.reject(new Error('no WebAssembly')))
  const reader = new FrameReader(() => worker, async () => ['agent'])
  expect([await reader.read(canvas, pen), await reader.read(canvas, pen)]).toEqual([['agent'], ['agent']])
  expect(worker).toHaveBeenCalledTimes(1)
})

it('reads by the agent where there are no workers', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const reader = new FrameReader(
    () => {
      throw new Error('no Worker')
    },
    async () => ['agent'],
  )
  expect(await reader.read(canvas, pen)).toEqual(['agent'])
})

it('gives up a frame that neither can read', async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {})
  const broken = async (): Promise<string[]> => Promise.reject(new Error('broken'))
  const reader = new FrameReader(() => async () => broken(), broken)
  expect(await reader.read(canvas, pen)).toEqual([])
  expect(await reader.read(canvas, pen)).toEqual([])
})

it.each([
  ['NotAllowedError', 'denied'],
  ['NotFoundError', 'none'],
  ['OverconstrainedError', 'none'],
  ['NotReadableError', 'busy'],
  ['AbortError', 'busy'],
  ['SecurityError', 'forbidden'],
  ['Error', 'failed'],
])('calls %s %s', (name, trouble) => expect(troubleOf(name)).toBe(trouble))
