import type { Column } from '../../columns'
import { t, i18n } from '../../i18n'
import { reasonName, second, verdictOf, type SeenEvent } from './events'

const typeName = ({ type, shift, alarm }: SeenEvent): string => (alarm ? t('event_alarm_' + alarm) : shift ? t('event_shift_' + shift) : i18n.global.te('event_type_' + type) ? t('event_type_' + type) : type)

/** Why a gate decided as it did, with what it adds to that. */
export const whyOf = ({ reason, mark, repeat }: Pick<SeenEvent, 'reason' | 'mark' | 'repeat'>): string =>
  [reasonName(reason), mark && i18n.global.te('event_mark_' + mark) ? t('event_mark_' + mark) : '', repeat ? t('event_repeat') : ''].filter(Boolean).join(' · ')

/** The columns of events, with gates by their names. */
export const eventColumns = (gateName: (id: number) => string): Column<SeenEvent>[] => [
  { id: 'at', word: 'event_at', text: (event) => second(event.at), nowrap: true },
  { id: 'verdict', word: 'event_verdict', text: (event) => t('verdict_' + verdictOf(event.reason, event.mark)), nowrap: true },
  { id: 'reason', word: 'event_reason', text: (event) => (event.reason ? whyOf(event) : typeName(event)) },
  { id: 'gate', word: 'event_gate', text: (event) => [gateName(event.gate), event.lane === 'phone' ? t('event_lane_phone') : event.lane].filter(Boolean).join(' · ') },
  { id: 'pass', word: 'event_pass', text: (event) => event.pass_id, nowrap: true },
  { id: 'offline', word: 'event_offline', text: (event) => (event.offline ? t('event_offline_yes') : ''), nowrap: true },
  { id: 'opinion', word: 'event_opinion', text: (event) => (event.opinion && event.opinion !== event.reason ? reasonName(event.opinion) : '') },
  { id: 'documents', word: 'event_documents', text: (event) => (event.documents ?? []).join(', '), usual: false },
  { id: 'guard', word: 'event_guard', text: (event) => event.guard ?? '', usual: false, nowrap: true },
  { id: 'note', word: 'event_note', text: (event) => event.note ?? '', usual: false },
  { id: 'received', word: 'event_received', text: (event) => second(event.received_at), usual: false, nowrap: true },
  { id: 'type', word: 'event_type', text: typeName, usual: false, nowrap: true },
  { id: 'id', word: 'event_id', text: (event) => event.id, usual: false, nowrap: true },
]
