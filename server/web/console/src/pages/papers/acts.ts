import { post } from '@shared/api'
import { t } from '../../i18n'
import { attempt, sure } from '../../tell'
import type { Sheet } from './papers'

/** Takes a sheet back or reports it lost, after asking. Whether it was done. */
export async function act(paper: Pick<Sheet, 'number' | 'name'>, what: 'return' | 'lost'): Promise<boolean> {
  const { number, name } = paper
  if (!(await sure(t('paper_' + what), t(`paper_${what}_sure`, { number, name }), what === 'lost'))) return false
  return attempt(() => post(`/papers/${encodeURIComponent(number)}/${what}`), t(what === 'lost' ? 'paper_lost_now' : 'paper_returned_now'))
}
