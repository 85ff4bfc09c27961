import type { Refusal } from '@shared/api'
import type { FlowFault } from '@shared/types'

/** The faults that a refused text has, by line. The server tells the first as "documents.yaml:12: rules[0].id: …". */
export function faultsIn(refusal: Pick<Refusal, 'details'>): FlowFault[] {
  const { faults, what } = refusal.details
  if (Array.isArray(faults)) return faults.map((one) => ({ line: Number(one?.line) || 0, key: String(one?.key ?? one?.field ?? ''), message: String(one?.message ?? '') }))
  const found = /:(\d+):\s*(?:([\w.[\]]+):\s*)?(.*)$/s.exec(String(what ?? ''))
  return found ? [{ line: Number(found[1]), key: found[2] ?? '', message: found[3] ?? '' }] : []
}
