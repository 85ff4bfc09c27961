// The entries of the menu, in groups. An entry is seen by whoever holds one of
// its scopes; a group without an entry to see is not there.

import type { Me } from '@shared/types'
import type { CountName } from './counts'
import type { IconName } from './parts/icons'
import { may } from './session'

export interface MenuEntry {
  to: string
  /** Key of its name. */
  word: string
  icon: IconName
  /** None = every person. */
  scopes?: readonly string[]
  /** Also for whom a flow gives its records. */
  records?: boolean
  /** The number shown beside it. */
  count?: CountName
}

export interface MenuGroup {
  /** Key of its name. */
  word: string
  entries: readonly MenuEntry[]
}

export const menu: readonly MenuGroup[] = [
  {
    word: 'menu_work',
    entries: [
      { to: '/', word: 'menu_home', icon: 'home' },
      { to: '/services', word: 'menu_start', icon: 'plus' },
      { to: '/work/todo', word: 'box_todo', icon: 'inbox', count: 'todo' },
      { to: '/work/done', word: 'box_done', icon: 'done' },
      { to: '/work/started', word: 'box_started', icon: 'sent' },
      { to: '/work/cc', word: 'box_cc', icon: 'copy' },
      { to: '/work/drafts', word: 'box_drafts', icon: 'draft', count: 'drafts' },
      { to: '/notices', word: 'menu_notices', icon: 'notice' },
    ],
  },
  {
    word: 'menu_manage',
    entries: [
      { to: '/overview', word: 'menu_overview', icon: 'dash', scopes: ['admin'] },
      { to: '/passes', word: 'menu_passes', icon: 'pass', scopes: ['passes:read'] },
      { to: '/papers', word: 'menu_papers', icon: 'print', scopes: ['desk'] },
      { to: '/households', word: 'menu_households', icon: 'house', scopes: ['people:read'] },
      { to: '/people', word: 'menu_people', icon: 'people', scopes: ['people:read'] },
      { to: '/gates', word: 'menu_gates', icon: 'gate', scopes: ['gates:read'] },
      { to: '/events', word: 'menu_events', icon: 'event', scopes: ['events:read'] },
      { to: '/stats', word: 'menu_stats', icon: 'chart', scopes: ['stats'], records: true },
      { to: '/archive', word: 'menu_archive', icon: 'archive', scopes: ['stats'] },
      { to: '/flows', word: 'menu_flows', icon: 'flow', scopes: ['flows:write'] },
      { to: '/keys', word: 'menu_keys', icon: 'key', scopes: ['keys:read'] },
      { to: '/audit', word: 'menu_audit', icon: 'clock', scopes: ['audit:read'] },
      { to: '/settings', word: 'menu_settings', icon: 'setting', scopes: ['settings:write'] },
    ],
  },
  {
    word: 'menu_card',
    entries: [
      { to: '/cards', word: 'menu_cards', icon: 'card', scopes: ['cards', 'finance'] },
      { to: '/subsidies', word: 'menu_subsidies', icon: 'gift', scopes: ['cards', 'finance'] },
      { to: '/recharges', word: 'menu_recharges', icon: 'download', scopes: ['cards', 'finance'] },
      { to: '/cash', word: 'menu_cash', icon: 'coin', scopes: ['cards'] },
      { to: '/turnover', word: 'menu_turnover', icon: 'chart', scopes: ['canteen', 'finance'] },
      { to: '/tills', word: 'menu_tills', icon: 'till', scopes: ['canteen', 'finance'] },
      { to: '/charges', word: 'menu_charges', icon: 'event', scopes: ['canteen', 'finance'] },
      { to: '/statements', word: 'menu_statements', icon: 'file', scopes: ['canteen', 'finance'] },
      { to: '/days', word: 'menu_days', icon: 'scale', scopes: ['finance'] },
      { to: '/disputes', word: 'menu_disputes', icon: 'chat', scopes: ['cards', 'finance'] },
      { to: '/ledger', word: 'menu_ledger', icon: 'shield', scopes: ['finance'] },
    ],
  },
]

/** The menu as a person sees it; `records` says whether a flow gives them its records. */
export function menuFor(person: Pick<Me, 'scopes'> | null, records = false, all: readonly MenuGroup[] = menu): MenuGroup[] {
  return all
    .map((group) => ({ ...group, entries: group.entries.filter((entry) => may(person, entry.scopes) || (entry.records && records)) }))
    .filter((group) => group.entries.length)
}
