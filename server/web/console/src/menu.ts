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
    ],
  },
  {
    word: 'menu_manage',
    entries: [{ to: '/flows', word: 'menu_flows', icon: 'flow', scopes: ['flows:write'] }],
  },
]

/** The menu as a person sees it. */
export function menuFor(person: Pick<Me, 'scopes'> | null, all: readonly MenuGroup[] = menu): MenuGroup[] {
  return all
    .map((group) => ({ ...group, entries: group.entries.filter((entry) => may(person, entry.scopes)) }))
    .filter((group) => group.entries.length)
}
