// What the pages say of devices: which one it is, how it is, and what to do. Both
// the guard and the cashier read it, so it stands here once.

import { lang, speaker } from './lang'
import type { Device, Status } from './types'

const words = {
  scanner: ['扫码器', 'Scanner'],
  barrier: ['闸机', 'Barrier'],
  sensor: ['通行传感器', 'Sensor'],
  contact: ['紧急按钮', 'Emergency contact'],
  printer: ['打印机', 'Printer'],
  camera: ['摄像头', 'Camera'],
  disk: ['本机硬盘', 'Disk'],

  ok: ['正常', 'OK'],
  starting: ['启动中', 'Starting'],
  none: ['无', 'None'],
  lost: ['断开', 'lost'],
  stuck: ['无响应', 'stuck'],
  silent: ['久无扫码', 'silent'],
  garbled: ['读数异常', 'garbled'],
  full: ['已满', 'full'],
  failing: ['写不进去', 'cannot be written'],

  at: ['：', ': '],
  scanner_lost: ['请检查插头；可用手工输入（I）', 'Check its plug; codes can be typed in (I)'],
  scanner_lost_till: ['请检查插头；键盘式扫码器可直接使用', 'Check its plug; a keyboard scanner works as it is'],
  barrier_lost: ['请检查接线，放行时手动开门', 'Check its cable; open by hand'],
  barrier_stuck: ['拔下重插；放行时手动开门', 'Unplug it and plug it in again; open by hand'],
  sensor_lost: ['没有人通过时不会自动撤销，请用撤销键', 'Nothing is taken back by itself; use the key'],
  contact_lost: ['请检查接线；紧急时用屏幕上的按钮（E）', 'Check its cable; use the button on the screen (E)'],
  disk_full: ['暂停放行：请清理硬盘，腾出空间后自动恢复', 'Nobody is let in: make room on it; it goes on by itself'],
  disk_full_till: ['暂停收款：请清理硬盘，腾出空间后自动恢复', 'No payments: make room on it; it goes on by itself'],
  disk_failing: ['暂停放行：请管理员检查硬盘', 'Nobody is let in: have the disk looked at'],
  disk_failing_till: ['暂停收款：请管理员检查硬盘', 'No payments: have the disk looked at'],
  any_lost: ['请检查插头和电源', 'Check its plug and its power'],
  any_stuck: ['拔下重插；不行就重启电脑', 'Unplug it and plug it in again; if that fails, restart the PC'],
  any_silent: ['请擦净窗口，用手机码试扫一次', 'Wipe its window and try a code'],
  any_garbled: ['读到的都不是通行码：请管理员检查波特率和接线', 'Nothing it reads is a code: have the baud rate and the cable looked at'],
} as const

const t = speaker(words)

const known = (word: string): word is keyof typeof words => word in words

/** A word, or the thing itself where there is none: newer agents have newer devices. */
const say = (word: string): string => (known(word) ? t(word) : word)

/** A device that somebody should look at. */
export const troubling = (d: Device): boolean => d.driver !== 'none' && d.state !== 'ok' && d.state !== 'starting'

/** Those that somebody should look at, those that are gone first. */
export function troubled(s: Status | null | undefined): Device[] {
  return (s?.devices ?? []).filter(troubling).sort((a, b) => Number(toneOf(b) === 'bad') - Number(toneOf(a) === 'bad'))
}

/** A device that says nothing may have had nobody in front of it. */
export const toneOf = (d: Device): 'bad' | 'warn' => (d.state === 'silent' || d.state === 'garbled' ? 'warn' : 'bad')

/** "扫码器 2 断开" */
export const stateOf = (d: Device): string => [say(d.kind), d.name, d.driver === 'none' ? t('none') : say(d.state)].filter(Boolean).join(' ')

/** "扫码器断开：主通道 2" */
export function headOf(d: Device): string {
  const where = [d.lane, d.name].filter(Boolean).join(' ')
  const gap = lang.value === 'zh' && known(d.kind) && known(d.state) ? '' : ' '
  return say(d.kind) + gap + say(d.state) + (where && t('at') + where)
}

/** What to do about it. */
export function adviceOf(d: Device, page: 'gate' | 'till'): string {
  const own = `${d.kind}_${d.state}`
  for (const word of [page === 'till' ? own + '_till' : '', own, 'any_' + d.state]) if (known(word)) return t(word)
  return d.detail
}
