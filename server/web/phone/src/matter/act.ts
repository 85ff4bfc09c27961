// One action at a time on a matter.

import { post, refusalOf, type Refusal } from '@shared/api'
import type { Act, Application } from '@shared/types'
import { ref } from 'vue'

export type Do = (act: Act) => Promise<Refusal | null>

/** Acts, and hands the matter on as it then is. */
export function useAct(id: string, took: (matter: Application) => void): { busy: ReturnType<typeof ref<string>>; act: Do } {
  const busy = ref<string>()
  async function act(what: Act): Promise<Refusal | null> {
    if (busy.value) return null
    busy.value = what.outcome ?? what.verb
    try {
      took(await post<Application>(`/applications/${id}/act`, what))
      return null
    } catch (e) {
      return refusalOf(e)
    } finally {
      busy.value = undefined
    }
  }
  return { busy, act }
}
