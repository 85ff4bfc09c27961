// What a lockdown or an emergency opening says on the guard's page.

import { moment } from './format'
import { t, type Word } from './i18n'
import type { Alarm, Lang } from './types'

/** The alarm that counts, where one is in force. */
export const alarmOf = (alarms: readonly Alarm[] | null | undefined): Alarm | null => alarms?.[0] ?? null

/** Where it came from, since when, and why. */
export function alarmText(alarm: Alarm, lang: Lang, now: number): string {
  return [
    t('alarm_since', { time: moment(alarm.since ?? now, lang, now) }),
    t(('alarm_by_' + alarm.source) as Word),
    alarm.until ? t('alarm_until', { time: moment(alarm.until, lang, now) }) : '',
    alarm.reason ?? '',
  ].filter(Boolean).join(' · ')
}

/** Whether the guard's own button raised one, which it can end. */
export const raisedHere = (alarms: readonly Alarm[] | null | undefined): boolean => !!alarms?.some((a) => a.source === 'guard')
