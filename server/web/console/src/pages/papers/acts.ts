import { post, refusalOf } from '@shared/api'
import { t } from '../../i18n'
import { freshId } from '../../money'
import { attempt, sure } from '../../tell'
import type { Sheet } from './papers'

/** Takes a sheet back or reports it lost, after asking. Whether it was done. */
export async function act(paper: Pick<Sheet, 'number' | 'name'>, what: 'return' | 'lost'): Promise<boolean> {
  const { number, name } = paper
  if (!(await sure(t('paper_' + what), t(`paper_${what}_sure`, { number, name }), what === 'lost'))) return false
  return attempt(() => post(`/papers/${encodeURIComponent(number)}/${what}`), t(what === 'lost' ? 'paper_lost_now' : 'paper_returned_now'))
}

export interface DeskPrinter { gate: number; name: string }

interface Printed {
  state: 'done' | 'failed' | 'unknown'
  reason?: string
  detail?: string
}

/** What is asked again with its own id, since nobody knows whether it was done. */
const open = new Map<string, string>()

/** What came of a print, in words. */
export interface Outcome { good: boolean; text: string }

/** Prints a sheet on a gate's receipt printer. */
export async function printAt(number: string, to: DeskPrinter): Promise<Outcome> {
  const what = `${number} ${to.gate}`
  const id = open.get(what) ?? freshId()
  open.set(what, id)
  try {
    const printed = await post<Printed>(`/papers/${encodeURIComponent(number)}/print`, { gate: to.gate, id })
    // No answer of the gate: the same id again asks it what it did.
    if (printed.reason !== 'silent') open.delete(what)
    const said = t('paper_print_' + printed.state, { gate: to.name })
    if (printed.state === 'done') return { good: true, text: said }
    return { good: false, text: said + t('paper_print_because') + reasonWords(printed) }
  } catch (e) {
    const why = refusalOf(e)
    if (why.status) open.delete(what) // the server has answered
    return { good: false, text: why.message }
  }
}

const reasons = ['no_printer', 'paper_out', 'cover_open', 'busy', 'interrupted', 'offline', 'silent']

function reasonWords({ reason = '', detail = '' }: Printed): string {
  return reasons.includes(reason) ? t('paper_print_is_' + reason) : detail || t('paper_print_is_fault')
}
