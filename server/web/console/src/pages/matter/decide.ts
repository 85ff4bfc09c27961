// What must be there before a task is decided.

import { t } from '../../i18n'
import type { MatterOutcome, MatterTask } from '../../shapes'

/** What a handler says beside the form. */
export interface Decision {
  opinion: string
  next: string
  handler: string
}

/** Whether an outcome goes on, and so takes the form of the step. */
export const takesForm = (outcome: MatterOutcome): boolean => outcome.step_form ?? !['reject', 'return'].includes(outcome.id)

/** Whether an outcome lets the handler choose the next step or its handler. */
export const chooses = (mine: MatterTask, outcome: MatterOutcome): boolean => mine.next !== null && (outcome.next ?? takesForm(outcome))

/** Whether an outcome ends the matter against its starter. */
export const grave = (outcome: MatterOutcome): boolean => outcome.id === 'reject' || outcome.to === 'rejected'

/** Why a decision cannot be sent yet; "" = it can. */
export function decisionFault(mine: MatterTask, outcome: MatterOutcome, said: Decision): string {
  if (mine.opinion === 'required' && !said.opinion.trim()) return t('handle_opinion_needed')
  if (!mine.next || !chooses(mine, outcome)) return ''
  const choice = mine.next.choose.find((one) => one.to === said.next)
  if (mine.next.choose.length > 1 && !choice) return t('handle_next_needed')
  if (mine.next.handler === 'required' && !said.handler) return t('handle_handler_needed')
  return ''
}
