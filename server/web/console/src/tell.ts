// Short messages that come and go, and questions before something is done.

import { ElMessage, ElMessageBox } from 'element-plus'
import 'element-plus/es/components/message/style/css'
import 'element-plus/es/components/message-box/style/css'
import { refusalOf, type Refusal } from '@shared/api'
import { t } from './i18n'

/** That something was done. */
export const tell = (text: string): void => void ElMessage({ type: 'success', message: text, grouping: true })

/** That something was not done, and why. It stays long enough to be read. */
export const tellRefusal = (why: Refusal): void => void ElMessage({ type: 'error', message: why.message, duration: 6000, showClose: true, grouping: true })

/** That something is not as it should be. */
export const warn = (text: string): void => void ElMessage({ type: 'warning', message: text, duration: 6000, showClose: true })

/** Asks whether to go on. */
export async function sure(title: string, text: string, grave = false): Promise<boolean> {
  try {
    await ElMessageBox.confirm(text, title, { type: 'warning', confirmButtonText: t('ok'), cancelButtonText: t('cancel'), confirmButtonType: grave ? 'danger' : 'primary' })
    return true
  } catch {
    return false
  }
}

/** Does something, and says that it was done, or why it was not. */
export async function attempt(run: () => Promise<unknown>, said: string): Promise<boolean> {
  try {
    await run()
    tell(said)
    return true
  } catch (e) {
    tellRefusal(refusalOf(e))
    return false
  }
}
