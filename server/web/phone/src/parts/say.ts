// Short words to the person, and questions.

import type { Refusal } from '@shared/api'
import { showConfirmDialog, showDialog } from 'vant/es/dialog'
import 'vant/es/dialog/style'
import { showToast } from 'vant/es/toast'
import 'vant/es/toast/style'
import { t } from '../i18n'

/** Something was done. */
export function sayDone(message: string): void {
  showToast({ message, duration: 2500, wordBreak: 'break-word' })
}

/** Something was refused; it stays until it is read. */
export async function sayRefused(e: Refusal): Promise<void> {
  await showDialog({ title: e.offline ? t('offline_short') : '', message: e.message, confirmButtonText: t('close') }).catch(() => undefined)
}

/** Asks before something that cannot be undone; false when it is not to be done. */
export function ask(title: string, message: string, yes: string, grave = false): Promise<boolean> {
  return showConfirmDialog({
    title, message, confirmButtonText: yes, cancelButtonText: t('cancel'),
    confirmButtonColor: grave ? 'var(--danger)' : undefined,
  }).then(() => true, () => false)
}
