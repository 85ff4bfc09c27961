// Short words to the person, and questions.

import type { Refusal } from '@shared/api'
import { showToast } from 'vant/es/toast'
import 'vant/es/toast/style'
import { shallowRef } from 'vue'
import { t } from '../i18n'

/** What stands before the person until it is answered. */
export interface Question {
  title: string
  message: string
  /** Name of the button that goes on; "" = there is only one that closes. */
  yes: string
  /** It cannot be undone. */
  grave: boolean
  answer(yes: boolean): void
}

/** The question of now; AskSheet shows it. */
export const question = shallowRef<Question | null>(null)

/** Something was done. */
export function sayDone(message: string): void {
  // At the bottom: not over a code.
  showToast({ message, position: 'bottom', duration: 2500, wordBreak: 'break-word' })
}

function put(title: string, message: string, yes: string, grave: boolean): Promise<boolean> {
  question.value?.answer(false)
  return new Promise((resolve) => {
    question.value = {
      title, message, yes, grave,
      answer(said) {
        question.value = null
        resolve(said)
      },
    }
  })
}

/** Something was refused; it stays until it is read. */
export async function sayRefused(e: Refusal): Promise<void> {
  await put(e.offline ? t('offline_short') : t('refused'), e.message, '', false)
}

/** Asks before something is done; false when it is not to be done. */
export function ask(title: string, message: string, yes: string, grave = false): Promise<boolean> {
  return put(title, message, yes, grave)
}
