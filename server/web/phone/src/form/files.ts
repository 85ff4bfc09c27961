// The names of files that were sent here or came with a matter.

import type { Attachment } from '@shared/types'
import { reactive } from 'vue'

const files = reactive(new Map<string, Attachment>())

export function knowFiles(found: readonly Attachment[]): void {
  for (const file of found) files.set(file.id, file)
}

export const fileName = (id: string): Attachment => files.get(id) ?? { id, name: id, size: 0, type: '' }
