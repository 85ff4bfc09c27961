import { describe, expect, it } from 'vitest'
import {
  admittedBefore, annullable, ANNUL_MS, agentNow, faceOf, reduce, SHOW_MS, shownScan, start, type Happening, type State,
} from './state'
import type { Scan, Status, Texts } from './types'

const status = { now: 1_000_000, online: true, software: '1', lanes: [] } as unknown as Status
const texts: Texts = { reasons: { zh: {}, en: {} }, documents: [], rules: [], addresses: [] }

let n = 0
function scan(part: Partial<Scan> = {}): Scan {
  n++
  return { id: `s${n}`, at: 1_000_000 + n, lane: '入口', direction: 'in', source: 'serial', reason: 'granted', opens: true, ...part }
}
const question = (part: Partial<Scan> = {}): Scan => scan({ reason: 'needs_input', need: 'document', opens: false, ...part })

const opened = (scans: Scan[] = []): Happening => ({ type: 'message', message: { type: 'state', status, scans, texts }, now: 0 })
const came = (s: Scan, now = 0): Happening => ({ type: 'message', message: { type: 'scan', scan: s }, now })
const after = (now: number): Happening => ({ type: 'tick', now })

function play(...happenings: Happening[]): State {
  return happenings.reduce(reduce, start(0))
}

describe('the stage', () => {
  it('shows a result for four seconds and then rests', () => {
    const a = scan()
    const s = play(opened(), came(a, 100))
    expect(shownScan(s)).toBe(a)
    expect(shownScan(reduce(s, after(100 + SHOW_MS - 1)))).toBe(a)
    expect(shownScan(reduce(s, after(100 + SHOW_MS)))).toBeNull()
  })

  it('gives way to the next scan at once', () => {
    const a = scan()
    const b = scan({ reason: 'expired', opens: false })
    const s = play(opened(), came(a, 0), came(b, 200))
    expect(shownScan(s)).toBe(b)
    expect(shownScan(reduce(s, after(SHOW_MS)))).toBe(b)
  })

  it('shows nothing from before it was opened', () => {
    const s = play(opened([scan(), scan({ reason: 'expired', opens: false })]))
    expect(s.shown).toBeNull()
    expect(s.cue).toBeNull()
    expect(s.scans).toHaveLength(2)
  })

  it('keeps a question until it is answered', () => {
    const q = question()
    const s = play(opened(), came(q), after(60_000))
    expect(shownScan(s)).toBe(q)
    const answered = reduce(s, came({ ...q, reason: 'granted', need: undefined, opens: true }, 60_000))
    expect(faceOf(shownScan(answered)!)).toBe('granted')
    expect(reduce(answered, after(60_000 + SHOW_MS)).shown).toBeNull()
  })

  it('comes back to a question that another scan interrupted', () => {
    const q = question()
    const other = scan({ lane: '出口' })
    const s = play(opened(), came(q), came(other, 10))
    expect(shownScan(s)).toBe(other)
    expect(shownScan(reduce(s, after(10 + SHOW_MS)))).toBe(q)
  })

  it('takes open questions over when the page is loaded', () => {
    const q = question()
    expect(shownScan(play(opened([scan(), q])))).toBe(q)
  })

  it('forgets a question that the agent gave up', () => {
    const q = question()
    const s = play(opened(), came(q), { type: 'settled', id: q.id })
    expect(s.shown).toBeNull()
    expect(s.questions).toEqual({})
  })

  it('drops questions that were settled while the page was away', () => {
    const q = question()
    const s = play(opened(), came(q), { type: 'lost' }, opened([{ ...q, reason: 'document_required', need: undefined }]))
    expect(s.shown).toBeNull()
  })

  it('shows an annulled admission as such', () => {
    const a = scan()
    const s = play(opened(), came(a), after(SHOW_MS), came({ ...a, annulled: true }, 9_000))
    expect(faceOf(shownScan(s)!)).toBe('annulled')
    expect(s.scans).toHaveLength(1)
  })
})

describe('a result that comes twice', () => {
  it('sounds once and stays as long as the first', () => {
    const a = scan()
    const s = play(opened(), came(a, 0), { type: 'result', scan: { ...a }, now: 900 })
    expect(s.cue?.n).toBe(1)
    expect(s.shown?.until).toBe(SHOW_MS)
  })

  it('is not undone by an older message', () => {
    const q = question()
    const granted = { ...q, reason: 'granted', need: undefined, opens: true }
    const s = play(opened(), { type: 'result', scan: q, now: 0 }, { type: 'result', scan: granted, now: 1 }, came(q, 2))
    expect(faceOf(shownScan(s)!)).toBe('granted')
    expect(s.questions).toEqual({})
  })
})

describe('sounds', () => {
  it('differ by what is to be done', () => {
    const cue = (part: Partial<Scan>): string | undefined => play(opened(), came(scan(part))).cue?.sound
    expect(cue({})).toBe('granted')
    expect(cue({ reason: 'expired', opens: false })).toBe('denied')
    expect(cue({ reason: 'already_used', opens: false })).toBe('denied')
    expect(cue({ reason: 'attention' })).toBe('attention')
    expect(cue({ repeat: true, opens: false })).toBe('attention')
    expect(cue({ reason: 'needs_input', need: 'document', opens: false })).toBe('question')
    expect(cue({ reason: 'needs_input', need: 'claim', opens: false })).toBeUndefined()
    expect(cue({ annulled: true })).toBeUndefined()
  })
})

describe('taking an admission back', () => {
  it('is offered for the latest that opened, refusals and repeats in between or not', () => {
    const a = scan()
    const s = play(opened(), came(a), came(scan({ reason: 'expired', opens: false })), came(scan({ repeat: true, opens: false })))
    expect(annullable(s, 0)).toBe(a)
  })

  it('is not offered twice, nor for an older one instead', () => {
    const [a, b] = [scan(), scan()]
    const s = play(opened(), came(a), came(b), came({ ...b, annulled: true }))
    expect(annullable(s, 0)).toBeNull()
  })

  it('ends after fifteen minutes of the agent’s clock', () => {
    const a = scan({ at: status.now })
    const s = play(opened(), came(a))
    expect(annullable(s, ANNUL_MS)).toBe(a)
    expect(annullable(s, ANNUL_MS + 1)).toBeNull()
  })
})

describe('the rest', () => {
  it('counts the agent’s clock on', () => {
    const s = play(opened())
    expect(agentNow(s, 2_500)).toBe(status.now + 2_500)
    expect(agentNow(start(0), 5)).toBe(0)
  })

  it('knows when a repeated pass was let in', () => {
    const a = scan({ pass: 'p1' })
    const again = scan({ pass: 'p1', repeat: true, opens: false })
    expect(admittedBefore(play(opened(), came(a), came(again)), again)).toBe(a.at)
    expect(admittedBefore(play(opened()), again)).toBeNull()
  })

  it('notices that the agent is gone and back', () => {
    expect(play(opened(), { type: 'lost' }).connected).toBe(false)
    expect(play(opened(), { type: 'lost' }, opened()).connected).toBe(true)
  })

  it('ignores what a newer agent may add', () => {
    const s = play(opened())
    expect(reduce(s, { type: 'message', message: { type: 'news' } as never, now: 1 })).toEqual(s)
  })

  it('remembers a bounded number of scans', () => {
    const s = play(opened(), ...Array.from({ length: 200 }, () => came(scan())))
    expect(s.scans.length).toBeLessThanOrEqual(40)
  })
})
