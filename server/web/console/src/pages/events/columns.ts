import type { Column } from '../../columns'
import { t, i18n } from '../../i18n'
import { reasonName, second, verdictOf, type SeenEvent } from './events'

/** The columns of events, with gates by their names. */
export const eventColumns = (gateName: (id: number) => string): Column<SeenEvent>[] => [
  { id: 'at', word: 'event_at', text: (event) => second(event.at), nowrap: true },
  { id: 'verdict', word: 'event_verdict', text: (event) => t('verdict_' + verdictOf(event.reason)), nowrap: true },
  { id: 'reason', word: 'event_reason', text: (event) => [reasonName(event.reason), event.repeat ? t('event_repeat') : ''].filter(Boolean).join(' · ') },
  { id: 'gate', word: 'event_gate', text: (event) => [gateName(event.gate), event.lane].filter(Boolean).join(' · ') },
  { id: 'pass', word: 'event_pass', text: (event) => event.pass_id, nowrap: true },
  { id: 'offline', word: 'event_offline', text: (event) => (event.offline ? t('event_offline_yes') : ''), nowrap: true },
  { id: 'opinion', word: 'event_opinion', text: (event) => (event.opinion && event.opinion !== event.reason ? reasonName(event.opinion) : '') },
  { id: 'received', word: 'event_received', text: (event) => second(event.received_at), usual: false, nowrap: true },
  { id: 'type', word: 'event_type', text: (event) => (i18n.global.te('event_type_' + event.type) ? t('event_type_' + event.type) : event.type), usual: false, nowrap: true },
  { id: 'id', word: 'event_id', text: (event) => event.id, usual: false, nowrap: true },
]
