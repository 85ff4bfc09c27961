// How everything stands now, from what the pages of the administration ask for.

import { get } from '@shared/api'
import { day, size, stamp } from '@shared/format'
import { t } from '../../i18n'
import { agentOf, troubles, type Agent, type Gate } from '../gates/gates'
import type { Figures } from '../stats/charts'
import '../events/words'
import './words'

/** The most that is counted of what must not happen at all. */
const most = 500

export interface Overview {
  gates: { gate: Gate; agent?: Agent }[]
  figures: Figures
  conflicts: number
  quarantined: number
  keeping: Keeping
}

/** Backups, and what a restore left open. */
export interface Keeping {
  backup: { scheduled: boolean; at?: string; last?: { at: number; bytes: number }; late: boolean; failed_at?: number; failure?: string }
  unheard: number[]
  gaps: { agent: number; first: number; last: number }[]
  webhook?: { on: boolean; untold: number; failure?: string }
}

export async function look(now: number): Promise<Overview> {
  const today = day(now)
  const [{ gates }, { agents }, figures, { conflicts }, { records }, keeping] = await Promise.all([
    get<{ gates: Gate[] }>('/gates'),
    get<{ agents: Agent[] }>('/agents'),
    get<Figures>('/reports/charts', { from: today, to: today }),
    get<{ conflicts: unknown[] }>('/conflicts', { limit: most }),
    get<{ records: unknown[] }>('/quarantine', { limit: most }),
    get<Keeping>('/keeping'),
  ])
  return { gates: gates.map((gate) => ({ gate, agent: agentOf(gate, agents) })), figures, conflicts: conflicts.length, quarantined: records.length, keeping }
}

/** One thing to see to, and where. */
export interface Alarm { where: string; what: string; to: string }

export function alarmsOf(seen: Overview): Alarm[] {
  const many = (count: number) => ({ n: count < most ? count : `${most}+`, count })
  return [
    ...seen.gates.flatMap(({ gate, agent }) =>
      (agent ? troubles(agent) : [t('over_no_agent')]).map((what) => ({ where: gate.name, what, to: '/gates' }))),
    ...(seen.conflicts ? [{ where: t('event_tab_conflicts'), what: t('over_conflicts', many(seen.conflicts)), to: '/events/conflicts' }] : []),
    ...(seen.quarantined ? [{ where: t('event_tab_quarantine'), what: t('over_quarantine', many(seen.quarantined)), to: '/events/quarantine' }] : []),
    ...keepingAlarms(seen.keeping),
  ]
}

function keepingAlarms({ backup, unheard, gaps, webhook }: Keeping): Alarm[] {
  const of = (what: string, to = '/audit') => ({ where: t('over_backup'), what, to })
  return [
    ...(backup.scheduled ? [] : [of(t('over_backup_off'))]),
    ...(backup.failure ? [of(t('over_backup_failed', { at: stamp(backup.failed_at ?? 0), why: backup.failure }))] : []),
    ...(backup.late && !backup.failure ? [of(t('over_backup_late', { at: backup.at ?? '' }))] : []),
    ...(unheard.length ? [of(t('over_unheard', { n: unheard.length }), '/gates')] : []),
    ...(webhook?.failure ? [{ where: t('over_alarms'), what: t('over_webhook', { n: webhook.untold, why: webhook.failure }), to: '/events/conflicts' }] : []),
    ...gaps.map((gap) => of(t('over_gap', { agent: gap.agent, first: gap.first, last: gap.last }), '/gates')),
  ]
}

/** The last backup, in a line. */
export function lastBackup({ backup }: Keeping): string {
  return backup.last ? t('over_backup_last', { at: stamp(backup.last.at), size: size(backup.last.bytes) }) : t('over_backup_never')
}

/** The numbers at the top. */
export function numbersOf(seen: Overview): { word: string; n: number; note?: string; to: string; look?: 'good' | 'bad' }[] {
  const online = seen.gates.filter((one) => one.agent?.live?.connected).length
  const sum = (of: 'admitted' | 'refused') => seen.figures.by_day.reduce((n, one) => n + one[of], 0)
  return [
    { word: 'over_gates', n: online, note: t('over_of', { n: seen.gates.length }), to: '/gates', look: online < seen.gates.length ? 'bad' : 'good' },
    { word: 'over_queue', n: seen.gates.reduce((n, one) => n + (one.agent?.live?.queue ?? 0), 0), to: '/gates' },
    { word: 'over_admitted', n: sum('admitted'), to: '/events/search' },
    { word: 'over_refused', n: sum('refused'), to: '/events/search' },
    { word: 'over_running', n: seen.figures.running, to: '/stats' },
  ]
}
