// One action at a time on a matter. Every answer is the matter as it then
// stands, and so is what a page shows.

import { ref, type Ref } from 'vue'
import { get, post, refusalOf, Refusal } from '@shared/api'
import type { Act } from '@shared/types'
import { count } from '../../counts'
import { t } from '../../i18n'
import { learn } from '../../learn'
import type { Matter } from '../../shapes'
import { tell, tellRefusal, warn } from '../../tell'

/** Codes that say: what is on the page is not how the matter stands. */
const stale = new Set(['TASK_CLOSED', 'NO_TASK', 'WRONG_STATE', 'ALREADY_REVIEWED'])

export interface Acting {
  busy: Ref<string>
  /** Sends an action. Null = it was done; a refusal that the page itself cannot cure by a reload is given back. */
  send(act: Act): Promise<Refusal | null>
}

export function useActing(matter: Ref<Matter | null>): Acting {
  const busy = ref('')
  return {
    busy,
    async send(act) {
      const id = matter.value?.id
      if (!id || busy.value) return null
      busy.value = act.outcome ?? act.verb
      try {
        matter.value = learn(await post<Matter>(`/applications/${encodeURIComponent(id)}/act`, act))
        tell(t('matter_done'))
        void count()
        return null
      } catch (e) {
        const why = refusalOf(e)
        if (!stale.has(why.code)) return why
        await refresh(matter, id)
        if (why.code === 'TASK_CLOSED' || why.code === 'NO_TASK') warn(t('matter_closed'))
        else tellRefusal(why)
        return null
      } finally {
        busy.value = ''
      }
    },
  }
}

async function refresh(matter: Ref<Matter | null>, id: string): Promise<void> {
  try {
    matter.value = learn(await get<Matter>(`/applications/${encodeURIComponent(id)}`))
    void count()
  } catch (e) {
    tellRefusal(refusalOf(e))
  }
}
