import { describe, expect, it } from 'vitest'
import type { MatterOutcome, MatterTask } from '../../shapes'
import { chooses, decisionFault, grave, takesForm } from './decide'
import '../../words'
import './words'

const agree: MatterOutcome = { id: 'agree', name: '同意', to: 'next', form: [], step_form: true, next: true }
const reject: MatterOutcome = { id: 'reject', name: '不同意', to: 'rejected', form: [], step_form: false, next: false }
const task = (more: Partial<MatterTask> = {}): MatterTask => ({
  task: 't1', step_name: '学院管理人员审核', kind: 'approve', opinion: 'optional', outcomes: [agree, reject], form: [], next: null, actions: [], ...more,
})
const said = (more = {}) => ({ opinion: '', next: '', handler: '', ...more })
const next = (handler: string, ...to: string[]) => ({ choose: to.map((one) => ({ to: one, name: one, people: [] })), note: '', handler })

describe('a decision', () => {
  it('CQ-073 needs no opinion where it is optional', () => {
    expect(decisionFault(task(), agree, said())).toBe('')
  })
  it('ZZ-018 needs one where the step says so, for every outcome', () => {
    for (const outcome of [agree, reject]) {
      expect(decisionFault(task({ opinion: 'required' }), outcome, said({ opinion: ' \n' }))).toBe('请填写意见')
      expect(decisionFault(task({ opinion: 'required' }), outcome, said({ opinion: '好' }))).toBe('')
    }
  })
  it('CQ-072 CQ-076 needs the next step and its handler, but only to go on', () => {
    const mine = task({ next: next('required', 'xgb', 'ygb') })
    expect(decisionFault(mine, agree, said())).toBe('请选择下一步')
    expect(decisionFault(mine, agree, said({ next: 'elsewhere', handler: '1' }))).toBe('请选择下一步')
    expect(decisionFault(mine, agree, said({ next: 'xgb' }))).toBe('请选择下一步办理人')
    expect(decisionFault(mine, agree, said({ next: 'xgb', handler: '1' }))).toBe('')
    expect(decisionFault(mine, reject, said())).toBe('')
  })
  it('does not ask for the only way on, nor for a handler who may be left open', () => {
    expect(decisionFault(task({ next: next('optional', '') }), agree, said())).toBe('')
  })
  it('CQ-092 marks what ends the matter against its starter', () => {
    expect([grave(agree), grave(reject), grave({ ...agree, id: 'redo', to: 'work' })]).toEqual([false, true, false])
  })
  it('ZZ-009 a return takes neither the step’s form nor the next step, also where the server does not say so', () => {
    const back: MatterOutcome = { id: 'return', name: '退回', to: 'start', form: [] }
    expect([takesForm(back), chooses(task({ next: next('required', 'a') }), back)]).toEqual([false, false])
    expect([takesForm({ ...agree, step_form: undefined }), chooses(task(), agree)]).toEqual([true, false])
  })
})
