// Gates and the programs at them.

import { get } from '@shared/api'
import { stamp } from '@shared/format'
import { i18n, t } from '../../i18n'
import './words'

/** Who decides a counted pass at a gate. */
export const policies = ['owner', 'online', 'first_seen'] as const
export type Policy = (typeof policies)[number]

/** What a gate of policy first_seen may do while it reaches nobody. */
export interface Offline { max: number; max_age_minutes: number; confirm: 'none' | 'guard' }

/** As the server has it where nothing is said. */
export const usualOffline: Offline = { max: 50, max_age_minutes: 240, confirm: 'guard' }

export interface Gate {
  id: number
  name: string
  zone: number
  policy: Policy
  /** Of first_seen. */
  offline?: Offline
  documents: 'none' | 'required'
  owns_from?: number
  draining_since?: number
  created_at: number
}

export interface Zone { id: number; name: string }

export interface Agent {
  id: number
  gate: number
  epoch: number
  hostname: string
  enrolled_at: number
  revoked_at?: number
  acked: number
  live?: {
    connected: boolean
    since: number
    last_seen: number
    remote: string
    software: string
    offset_ms?: number
    queue: number
    revision: number
    lanes?: Record<string, string>
    last_scan?: number
    devices?: Device[]
    program?: Program
    down_fault?: string
    up_fault?: string
    alarm?: string
  }
}

/** One device at a gate. Its state began at since, by the server's clock. */
export interface Device { lane: string; kind: string; driver: string; name: string; state: string; since: number; detail: string }

/** The program of an agent, and how far it is with the one that it is offered. */
export interface Program { version: string; os: string; arch: string; offered?: string; state: string; percent?: number; why?: string }

export interface Release {
  sha256: string
  version: string
  os: string
  arch: string
  serial: number
  not_before?: number
  size: number
  missing?: boolean
  added_at: number
  added_by: string
  reach: 'nobody' | 'chosen' | 'all'
  gates: number[]
  paused: boolean
  changed_at: number
  changed_by: string
}

/** "1.2.0 → 1.3.0：正在下载 40%"; "" for an agent that takes no programs. */
export function programWords(program: Program | undefined): string {
  if (!program) return ''
  const version = program.version || t('program_unnamed')
  const state = said('program_' + program.state) || program.state
  if (program.state === 'current') return program.offered && program.offered !== program.version ? t('program_soon', { version, offered: program.offered }) : version
  return t('program_state', { version, offered: program.offered ?? '', state: program.percent ? t('program_percent', { state, n: program.percent }) : state })
}

/** The look of a program's state, as of other states. */
export const programTone = (state: string): string =>
  ({ current: 'granted', downloading: 'running', waiting: 'running', staged: 'running', trying: 'running', failing: 'attention' })[state] ?? 'denied'

/** How an agent stands: a state for its tag, and the word. */
export function standing(agent: Agent): { state: string; word: string } {
  if (agent.revoked_at) return { state: 'revoked', word: 'agent_revoked' }
  if (!agent.live) return { state: 'rest', word: 'agent_never' }
  return agent.live.connected ? { state: 'granted', word: 'agent_connected' } : { state: 'attention', word: 'agent_gone' }
}

/** Why somebody should look, in words: it is gone, its clock is a second off, it falls behind, or a device of it is lost. */
export function troubles(agent: Agent): string[] {
  const live = agent.live
  if (agent.revoked_at) return []
  if (!live) return [t('agent_never')]
  return [
    live.connected ? '' : t('trouble_gone', { at: stamp(live.last_seen) }),
    Math.abs(live.offset_ms ?? 0) > 1000 ? clockWords(live.offset_ms ?? 0) : '',
    live.queue > 100 ? t('trouble_queue', { n: live.queue }) : '',
    ...[live.alarm, live.down_fault, live.up_fault].map((what) => (what ? t('agent_fault', { what }) : '')),
    // A device that flaps for a moment is nobody's errand; without a disk nobody gets in.
    ...(live.devices ?? []).filter((one) => !well(one) && (one.kind === 'disk' || live.last_seen - one.since >= errand_ms)).map((one) => deviceWords(one)),
    // An agent from before devices were told of.
    ...Object.entries(live.devices ? {} : live.lanes ?? {}).map(([lane, state]) => (state.includes('lost') ? t('agent_lane', { lane, state: laneWords(state) }) : '')),
  ].filter(Boolean)
}

/** How long a device is away before somebody should go there. */
const errand_ms = 60_000

export const well = (device: Device): boolean => device.state === 'ok' || device.state === 'starting'

const said = (word: string): string => (i18n.global.te(word) ? t(word) : '')

/** "进口：扫码器 2 断开". Kinds and states without a word are said as they are. */
export function deviceWords(device: Device): string {
  const state = [said('agent_' + device.kind) || device.kind, device.name, said('agent_is_' + device.state) || device.state].filter(Boolean).join(' ')
  return device.lane ? t('agent_lane', { lane: device.lane, state }) : state
}

/** The agent that decides at a gate now: the latest that was not revoked. */
export function agentOf(gate: Gate, agents: readonly Agent[]): Agent | undefined {
  return agents.filter((one) => one.gate === gate.id && !one.revoked_at).sort((a, b) => b.epoch - a.epoch)[0]
}

/** A gate's policy, with what it may do on its own. */
export const policyWords = ({ policy, offline }: Gate): string => [
  t('gate_policy_' + policy),
  offline ? t('gate_offline_caps', { n: offline.max, minutes: offline.max_age_minutes }) : '',
  offline?.confirm === 'guard' ? t('gate_offline_asks') : '',
].filter(Boolean).join(' · ')

/** What is known of a gate that somebody is about to call drained. */
export function drainedSoFar(gate: Gate, agents: readonly Agent[]): string {
  const live = agentOf(gate, agents)?.live
  if (!live) return t('gate_drained_never')
  if (!live.connected) return t('gate_drained_gone', { at: stamp(live.last_seen) })
  return live.queue > 0 ? t('gate_drained_queue', { n: live.queue }) : t('gate_drained_all')
}

/** Names of gates by number, as far as one may see them. */
export async function gateNames(): Promise<Map<number, string>> {
  try {
    return new Map((await get<{ gates: Gate[] }>('/gates')).gates.map((gate) => [gate.id, gate.name]))
  } catch {
    return new Map() // numbers stand for them
  }
}

/** "scanner ok, barrier lost" of a lane, in words. States that have none are said as they are. */
export function laneWords(state: string): string {
  return state.split(', ').map((part) => {
    const [device = '', ...how] = part.split(' ')
    return [said('agent_' + device) || device, said('agent_is_' + how.join('_')) || how.join(' ')].join(' ')
  }).join(t('agent_lane_and'))
}

/** "电脑时钟快 3 天". What an agent adds is what its PC's clock lacks. */
export function clockWords(offset_ms: number): string {
  const s = Math.abs(offset_ms) / 1000
  const [unit, of] = s < 120 ? ['s', 1] : s < 7200 ? ['m', 60] : s < 172_800 ? ['h', 3600] : ['d', 86_400]
  return t(offset_ms < 0 ? 'trouble_clock_fast' : 'trouble_clock_slow', { age: t(`clock_${unit}`, { n: Math.round(s / Number(of)) }) })
}

export const offset = (agent: Agent): string => (agent.live?.offset_ms === undefined ? '' : t('agent_offset_n', { ms: agent.live.offset_ms }))
