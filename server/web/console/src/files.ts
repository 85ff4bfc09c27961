// Attachments as the pages know them.

import { reactive } from 'vue'
import type { Attachment } from '@shared/types'

/** Bytes that one attachment may have. */
export const biggest = 10 * 1024 * 1024

export const imageKinds: readonly string[] = ['png', 'jpg', 'jpeg', 'webp']
export const fileKinds: readonly string[] = ['pdf', ...imageKinds, 'txt', 'doc', 'docx', 'xls', 'xlsx']

/** Whether a file's name ends in one of the kinds. The server looks inside. */
export function acceptable(name: string, kinds: readonly string[]): boolean {
  const dot = name.lastIndexOf('.')
  return dot > 0 && kinds.includes(name.slice(dot + 1).toLowerCase())
}

/** Attachments whose names this visit has learnt. */
export const knownFiles = reactive(new Map<string, Attachment>())

/** A name for an attachment: its own, or its id. */
export const attachmentName = (id: string): string => knownFiles.get(id)?.name ?? id
