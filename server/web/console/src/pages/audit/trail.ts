import { second } from '../events/events'

/** Names of moments: expires_at, owns_from, draining_since. They are unix ms. */
const moment = /(_at|_from|_since|_until|^at|^from|^until)$/

/** Details of an entry as one line: "name: 东门 · zone: 2". A moment that never was is left out. */
export function detail(value: unknown, name = ''): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map((one) => detail(one, name)).join(', ')
  if (typeof value === 'object') {
    return Object.entries(value).filter(([key, one]) => !(moment.test(key) && one === 0)).map(([key, one]) => `${key}: ${detail(one, key)}`).join(' · ')
  }
  if (typeof value === 'number' && value > 1e12 && moment.test(name)) return second(value)
  return String(value)
}
