import { describe, expect, it } from 'vitest'
import { menuFor } from '../../menu'
import '../../words'
import { actsOf, entryColumns, limitChange, limitValues, type Card, type Entry } from './cards'
import { base64, stageOf, type Batch } from './subsidies'

const card: Card = {
  account: '10000018', number: '20230417', name: '林晓岚', name_masked: '**岚', state: 'active', balance_fen: 4200, main_fen: 3000, subsidy_fen: 1200, debt_fen: 0, held_fen: 0,
  limits: { per_tx_fen: 20000, per_meal_fen: 0, per_day_fen: 50000 }, offline: { enabled: false, per_tx_fen: 3000, per_day_fen: 6000, max_tx: 5 }, has_password: true, epoch: 1, opened_at: 1,
}
const entry = (seq: number, amount_fen: number, balance_fen: number): Entry => ({ seq, id: 'x', kind: 'charge', title: { zh: '消费', en: 'Payment' }, at: 1777600800000, posted_at: 1777600800000, amount_fen, balance_fen, place: '一食堂', flags: [] })

describe('the card office', () => {
  const seen = (scopes: string[]) => menuFor({ scopes }).find((group) => group.word === 'menu_card')?.entries.map((one) => one.to) ?? []
  it('shows each office its own pages, and nothing to others', () => {
    expect(seen(['self', 'guard', 'desk'])).toEqual([])
    expect(seen(['self', 'cards'])).toEqual(['/cards', '/subsidies', '/recharges', '/cash', '/disputes'])
    expect(seen(['self', 'canteen'])).toEqual(['/turnover', '/tills', '/charges', '/statements'])
    expect(seen(['self', 'finance'])).not.toContain('/cash')
    expect(seen(['self', 'finance'])).toContain('/days')
  })
  it('CM-084 offers what a card in its state takes', () => {
    expect(actsOf(card)).toEqual(['loss', 'freeze', 'reissue', 'password-reset', 'close'])
    expect(actsOf({ ...card, state: 'lost', lost_at: 1 })).toContain('lift')
    expect(actsOf({ ...card, state: 'frozen', frozen_at: 1, has_password: false })).toEqual(['loss', 'unfreeze', 'reissue', 'close'])
    expect(actsOf({ ...card, state: 'closed' })).toEqual([])
  })
  it('CM-078 shows each balance beside its signed amount, as the ledger has them', () => {
    const rows = [entry(3, 5000, 8750), entry(2, -550, 3750), entry(1, -700, 4300)]
    const cells = rows.map((one) => entryColumns.filter((column) => ['amount', 'balance'].includes(column.id)).map((column) => column.text(one, 0)))
    expect(cells).toEqual([['+50.00', '87.50'], ['-5.50', '37.50'], ['-7.00', '43.00']])
  })
  it('sends only the limits that were changed, and -1 for those of the campus', () => {
    const form = limitValues(card)
    expect(limitChange(card, form)).toEqual({})
    expect(limitChange(card, { ...form, per_tx_fen: 10000, per_day_fen: null, enabled: 'true' })).toEqual({ limits: { per_tx_fen: 10000, per_day_fen: -1 }, offline: { enabled: 'yes' } })
    expect(limitChange(card, { ...form, enabled: 'campus', max_tx: 0 })).toEqual({ offline: { enabled: 'campus', max_tx: 0 } })
  })
})

describe('subsidies', () => {
  it('are a preview, are being granted, and are done', () => {
    expect([{}, { confirmed_at: 1 }, { confirmed_at: 1, done_at: 2 }].map((one) => stageOf(one as Batch))).toEqual(['preview', 'running', 'done'])
  })
  it('take a file byte for byte', async () => {
    const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => at % 256)
    expect([...Buffer.from(await base64(new File([bytes], 'a.csv')), 'base64')]).toEqual([...bytes])
  })
})
