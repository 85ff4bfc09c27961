// Subsidies that are granted together.

import './words'

export interface Batch {
  id: string
  name: string
  expires_on: string
  created_by: string
  created_at: number
  confirmed_by?: string
  confirmed_at?: number
  done_at?: number
  faulty: number
  cards: number
  total_fen: number
  granted: number
  skipped: number
  remaining_fen: number
}

export interface RowFault { row: number; column: string; value?: string; message: string }

export type Preview = Batch & { faults: RowFault[] | null }

/** How far a batch is. */
export function stageOf(one: Batch): 'preview' | 'running' | 'done' {
  if (!one.confirmed_at) return 'preview'
  return one.done_at ? 'done' : 'running'
}

/** A file as the interface takes it. */
export async function base64(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000)) // a call takes so many arguments
  return btoa(text)
}
