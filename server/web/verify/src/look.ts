// What the page of a pass asks of the server, and the words it has of its own.

import { get, post } from '@shared/api'
import type { Me } from '@shared/types'

export interface Look {
  verdict: {
    reason: string
    kind: 'granted' | 'denied' | 'needs_input'
    need: '' | 'document' | 'claim'
    first?: { at: number; gate: number }
    text: Record<'zh' | 'en', { word: string; title: string; next: string }>
  }
  pass: { id: string; kind: string; name: string; doc4: string; from: string; until: string; uses: number; used: number } | null
  holder: { number: string; name: string; unit: string; reason: string } | null
  gate: { id: number; name: string }
  decider: number
  documents: { id: string; zh: string; en: string }[] | null
  ticket: string
  event_id: string
}

export const whoAmI = (): Promise<Me> => get<Me>('/me')
export const look = (code: string): Promise<Look> => post<Look>('/verify', { code })
export const admit = (ticket: string, documents: string[]): Promise<Look> => post<Look>('/verify/admit', { ticket, documents })

/** Where a guard signs in; the way back names no code. */
export const signIn = '/m/login?to=/V/'

/** The names of the kinds of pass. */
export const kinds: Record<string, [string, string]> = {
  resident_single: ['居民通行证 · 单次', 'Resident pass, one entry'],
  resident_multi: ['居民通行证 · 多次', 'Resident pass'],
  work: ['校区工作通行证', 'Work pass'],
  visitor: ['访客通行证', 'Visitor pass'],
  vehicle: ['车辆通行证', 'Vehicle pass'],
}
