// The page's own words in both languages. What a result means comes from the
// agent (GET /api/v1/texts), so that it is written down once.

import { ref, watchEffect } from 'vue'
import { recall, remember } from './memory'
import type { Lang } from './types'

const words = {
  title: ['{gate} · 校门', '{gate} · Gate'],
  gate: ['校门', 'Gate'],
  in: ['进', 'In'],
  out: ['出', 'Out'],
  idle: ['请出示通行码', 'Ready to scan'],
  idle_hint: ['对准扫码器，等待绿灯', 'Hold the code to the scanner'],
  starting: ['正在连接本机程序…', 'Connecting to the agent…'],
  online: ['在线', 'Online'],
  offline: ['离线', 'Offline'],
  scanner: ['扫码器', 'Scanner'],
  barrier: ['闸机', 'Barrier'],
  state_ok: ['正常', 'OK'],
  state_starting: ['启动中', 'Starting'],
  state_lost: ['断开', 'Lost'],
  state_none: ['无', 'None'],

  notices: ['提醒', 'Notices'],
  banner_offline: ['离线运行', 'Working offline'],
  banner_offline_text: ['名单为 {age}前，{queue} 条记录待上传', 'Lists are {age} old, {queue} records to upload'],
  banner_offline_never: ['尚未收到名单，{queue} 条记录待上传', 'No lists received yet, {queue} records to upload'],
  banner_feed: ['与本机程序失去联系', 'The agent on this computer does not answer'],
  banner_feed_text: ['画面可能不是最新，正在重连；请先人工核对', 'This page may be out of date; reconnecting. Check people by hand until then'],
  banner_clock: ['本机时间不可信', 'The clock of this computer cannot be trusted'],
  banner_clock_text: ['请联系管理员校时', 'Ask the administrator to set it'],
  clock_set_back: ['电脑时间被往回拨了', 'The PC clock was set back'],
  clock_not_synced: ['太久没有与服务器对时', 'Not compared with the server for too long'],
  banner_skew: ['电脑时间偏差 {age}', 'The computer’s clock is off by {age}'],
  banner_skew_text: ['程序已自动校正，请管理员检查', 'Corrected by the agent; ask the administrator to look'],
  banner_scanner: ['扫码器断开：{lane}', 'Scanner lost: {lane}'],
  banner_scanner_text: ['请检查插头；可用手工输入（I）', 'Check its plug; codes can be typed in (I)'],
  banner_barrier: ['闸机断开：{lane}', 'Barrier lost: {lane}'],
  banner_barrier_text: ['请检查接线，放行时手动开门', 'Check its cable; open by hand'],
  banner_sound: ['声音还没有启用', 'Sound is not on yet'],
  banner_sound_text: ['开始值班时请按任意键，或点这里', 'Press any key at the start of the shift, or this button'],
  sound_start: ['启用声音', 'Turn sound on'],

  opens: ['闸门已开', 'Barrier opens'],
  stays_shut: ['闸门不开', 'Barrier stays shut'],
  open_by_hand: ['闸机断开，请手动开门', 'Barrier lost, open by hand'],
  document: ['证件后四位', 'ID ends in'],
  valid: ['有效期', 'Valid'],
  first_use: ['首次使用', 'First used'],
  server: ['服务器', 'The server'],
  at_gate: ['{n} 号门', 'Gate {n}'],
  owner: ['由此门判定', 'Decided at'],
  ago: ['{age}前', '{age} ago'],
  offline_decision: ['离线判定', 'Decided offline'],
  anonymous: ['（无姓名）', '(no name)'],
  kind: ['种类', 'Kind'],
  lane: ['通道', 'Lane'],
  repeat_word: ['重复出示', 'Shown again'],
  repeat_title: ['刚才已经放行', 'Admitted a moment ago'],
  repeat_next: ['确认是同一个人；如有他人持此码，请拦下', 'Make sure it is the same person; stop anybody else with this code'],
  used_at: ['已使用', 'Used at'],
  asking_word: ['请稍候', 'One moment'],
  asking_title: ['正在向判定此码的门核实', 'Asking the gate that decides this pass'],
  question_choose: ['点选出示的证件', 'Tick what was shown'],
  question_refuse: ['未出示，拒绝', 'None: refuse'],
  question_confirm: ['确认', 'Confirm'],
  question_admits: ['可放行：{who}', 'Will admit: {who}'],
  question_missing: ['还需：{what}', 'Also needed: {what}'],
  question_none: ['这些证件不能放行', 'These do not admit'],
  question_login: ['登录值班后才能核对证件', 'Log in to answer for documents'],
  address_note: ['须显示校内地址', 'campus address'],
  copy_note: ['复印件', 'copy'],
  never_note: ['不可用', 'not valid'],
  addresses: ['校内地址', 'Campus addresses'],
  missing: ['还缺', 'Missing'],
  documents: ['证件', 'Documents'],
  rule: ['依据', 'By rule'],

  shift: ['值班', 'Shift'],
  shift_nobody: ['未登录', 'nobody'],
  shift_login: ['登录值班', 'Begin a shift'],
  shift_number: ['工号', 'Staff number'],
  shift_pin: ['口令', 'PIN'],
  shift_go: ['登录', 'Log in'],
  shift_on: ['{name}（{number}）值班中，{time} 开始', '{name} ({number}) on duty since {time}'],
  shift_end: ['下班', 'End the shift'],
  shift_relief: ['换班：下一位登录', 'Relief: the next guard logs in'],
  banner_shift: ['还没有门卫值班', 'No guard is on duty'],
  banner_shift_text: ['扫码照常；核对证件、登记、撤销须先登录（H）', 'Codes work as ever; documents, entries and annulments need a login (H)'],

  entry: ['无码登记', 'No code'],
  entry_title: ['无码人员登记', 'Somebody without a code'],
  entry_who: ['是什么人', 'Who it is'],
  entry_direction: ['方向', 'Direction'],
  entry_student_out: ['出校登记', 'Leaves'],
  entry_student_in: ['返校', 'Comes back'],
  entry_relative_in: ['进校登记', 'Comes in'],
  entry_relative_out: ['离开', 'Leaves'],
  entry_documents: ['出示的证件', 'Documents shown'],
  entry_person: ['姓名', 'Name'],
  entry_number: ['学号', 'Student number'],
  entry_relation: ['与教职工的关系', 'Relation to the member of staff'],
  entry_staff: ['教职工姓名', 'Member of staff'],
  entry_note: ['备注', 'Note'],
  entry_pass: ['查到的通行证', 'Pass that was looked up'],
  entry_go: ['提交', 'Submit'],
  entry_refuse: ['记录并拒绝', 'Record and refuse'],
  entry_collect: ['收回证件，交门岗保管', 'Keep the document at the gate'],
  entry_no_rules: ['还没有收到门岗证件规则', 'No guideline has been received yet'],

  registers: ['登记簿', 'Registers'],
  registers_title: ['登记簿', 'Registers'],
  registers_open: ['未结束', 'Open'],
  registers_closed: ['已结束', 'Closed'],
  registers_none: ['没有登记', 'Nothing registered'],
  registers_student: ['学生在外', 'Student, out'],
  registers_student_back: ['学生，已返校', 'Student, back'],
  registers_relative: ['亲属在校', 'Relative, inside'],
  registers_relative_left: ['亲属，已离开', 'Relative, left'],
  registers_return: ['返校', 'Back'],
  registers_leave: ['离开', 'Leaves'],
  registers_of: ['{staff} 的{relation}', '{relation} of {staff}'],

  search: ['查找', 'Search'],
  search_title: ['查找通行证', 'Look up a pass'],
  search_label: ['姓名（至少两个字）或通行证编号', 'Name, two characters at least, or pass id'],
  search_hint: ['查到不等于放行：须扫码，或做无码登记并写明原因。', 'To find a pass admits nobody: scan the code, or make an entry and say why.'],
  search_none: ['没有找到', 'Nothing found'],
  search_more: ['还有更多，请输入更完整的姓名', 'There are more: type more of the name'],
  search_enter: ['登记', 'Entry'],
  search_valid: ['有效', 'Valid'],
  search_not_yet: ['未到日期', 'Not yet'],
  search_used: ['已用完', 'Used up'],
  search_revoked: ['已作废', 'Withdrawn'],
  uses: ['{used}/{uses} 次', '{used} of {uses} uses'],
  uses_any: ['不限次', 'any number of uses'],
  and: ['，', ', '],
  list: ['、', ', '],
  automatic: ['自动', 'Automatic'],

  recent: ['最近 8 次', 'Last 8 scans'],
  recent_none: ['还没有扫码', 'No scans yet'],

  annul: ['没有人通过', 'Nobody went through'],
  annul_none: ['没有可撤销的放行', 'No admission to take back'],
  annul_title: ['撤销这次放行？', 'Take back this admission?'],
  annul_text: ['{name} · {time}。确认没有人通过后，此码可以再次使用。', '{name} · {time}. If nobody went through, the code can be used again.'],
  annul_yes: ['确认撤销', 'Take back'],
  cancel: ['取消', 'Cancel'],
  manual: ['手工输入', 'Type a code'],
  manual_title: ['手工输入通行码', 'Type a code'],
  manual_label: ['通行码内容', 'Code'],
  manual_lane: ['通道', 'Lane'],
  manual_go: ['提交', 'Submit'],
  manual_hint: ['键盘式扫码器无需打开此窗口，任何时候都可直接扫。', 'Keyboard scanners need no window: they work at any time.'],
  sound_on: ['声音：开', 'Sound on'],
  sound_off: ['已静音', 'Muted'],
  language: ['English', '中文'],
  controls: ['操作', 'Controls'],
  state: ['设备状态', 'State'],
  close: ['关闭', 'Close'],

  failed: ['操作没有成功', 'That did not work'],
  failed_network: ['本机程序没有响应，请重试', 'The agent did not answer, try again'],

  kind_resident_single: ['居民单次码', 'Resident, one visit'],
  kind_resident_multi: ['居民通行码', 'Resident'],
  kind_work: ['工作通行码', 'Work pass'],
  kind_visitor: ['访客码', 'Visitor'],
  kind_vehicle: ['车辆通行码', 'Vehicle'],
  kind_pay: ['付款码', 'Payment code'],
} as const satisfies Record<string, readonly [string, string]>

export type Word = keyof typeof words

const stored = recall('lang')
export const lang = ref<Lang>(stored === 'en' ? 'en' : 'zh')

export function t(word: Word, values: Record<string, string | number> = {}): string {
  return words[word][lang.value === 'zh' ? 0 : 1].replace(/\{(\w+)\}/g, (_, k: string) => String(values[k] ?? ''))
}

/** A word that may not be there, such as the name of a new kind. */
export function tryWord(word: string, otherwise: string): string {
  return word in words ? t(word as Word) : otherwise
}

export function switchLanguage(): void {
  lang.value = lang.value === 'zh' ? 'en' : 'zh'
  remember('lang', lang.value)
}

/** Keeps the document's language in step, for screen readers and fonts. */
export function followLanguage(): void {
  watchEffect(() => {
    document.documentElement.lang = lang.value === 'zh' ? 'zh-CN' : 'en'
  })
}
