import { expect, it } from 'vitest'
import { Sightings, WINDOW_MS } from './sightings'

it('takes a code that is held in view for one scan', () => {
  const s = new Sightings()
  const scans = []
  for (let now = 0; now < 60_000; now += 100) if (s.isNew('A', now)) scans.push(now)
  expect(scans).toEqual([0])
})

it('takes a code that was away for the window for a new one', () => {
  const s = new Sightings()
  expect([s.isNew('A', 0), s.isNew('A', WINDOW_MS - 1), s.isNew('A', 2 * WINDOW_MS - 1)]).toEqual([true, false, true])
})

it('keeps codes side by side apart', () => {
  const s = new Sightings()
  expect([s.isNew('A', 0), s.isNew('B', 0), s.isNew('A', 100), s.isNew('B', 100)]).toEqual([true, true, false, false])
})
