// How each face looks and reads: the sign's shape, and the words.

import { lang, t } from './i18n'
import { faceOf, type Face, type State } from './state'
import type { ReasonText, Scan, Texts } from './types'

export type Sign = 'tick' | 'cross' | 'bang' | 'ask' | 'undo'

export const signOf: Record<Face, Sign> = {
  granted: 'tick', attention: 'bang', repeat: 'bang', denied: 'cross', used: 'cross',
  question: 'ask', confirm: 'ask', asking: 'ask', annulled: 'undo',
}

const unknown: ReasonText = { word: '?', title: '', next: '' }

function reasonText(texts: Texts | null, reason: string): ReasonText {
  return texts?.reasons[lang.value]?.[reason] ?? { ...unknown, title: reason }
}

/** What to say about a scan, in the language of the moment. */
export function textOf(state: State, scan: Scan): ReasonText {
  switch (faceOf(scan)) {
    case 'annulled':
      return { ...reasonText(state.texts, 'annulled'), ...(scan.passage === 'nobody' && { title: t('nobody_went') }) }
    case 'repeat':
      return { word: t('repeat_word'), title: t('repeat_title'), next: t('repeat_next') }
    case 'asking':
      return { word: t('asking_word'), title: t('asking_title'), next: '' }
    default:
      return state.texts?.reasons[lang.value]?.[`${scan.reason}.${scan.mark}`] ?? reasonText(state.texts, scan.reason)
  }
}
