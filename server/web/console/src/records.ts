// The flows whose records a person may read: by their scope, or because the
// flow names their post.

import { shallowRef } from 'vue'
import { get } from '@shared/api'
import type { Items } from '@shared/types'

export interface Readable {
  id: string
  name: string
  /** Whether the records may be taken away as a file. */
  export: boolean
}

/** Those known so far. */
export const readable = shallowRef<Readable[]>([])

/** Asks which flows they are. */
export async function findReadable(): Promise<Readable[]> {
  readable.value = (await get<Items<Readable>>('/reports')).items
  return readable.value
}
