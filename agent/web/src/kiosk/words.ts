// What a kiosk says to whoever stands there. The reasons have words of their own
// here: those of the agent are for a guard.

import { speaker, type Table } from '../lang'

const words = {
  title: ['{gate} · 自助通行', '{gate} · Self-service gate'],
  gate: ['校门', 'Gate'],
  lane: ['通道 {lane}', 'Lane {lane}'],
  starting: ['正在启动，请稍候', 'Starting, please wait'],
  idle: ['请出示通行码', 'Show your code'],
  idle_in: ['请出示通行码入校', 'Show your code to enter'],
  idle_out: ['请出示通行码离校', 'Show your code to leave'],
  idle_how: ['手机屏幕朝向扫码窗，看到绿色后通行', 'Hold your phone’s screen to the scanner and go on green'],
  idle_step1: ['打开通行码', 'Open your code'],
  idle_step2: ['对准扫码窗', 'Hold it to the scanner'],
  idle_step3: ['变绿后通行', 'Go on green'],
  lane_closed: ['{lane} 暂停使用', '{lane} is out of order'],

  help: ['呼叫值班员', 'Call a guard'],
  cancel: ['取消呼叫', 'Cancel'],
  language: ['English', '中文'],
  keys: ['帮助与语言', 'Help and language'],
  muted: ['声音未启用', 'Sound is off'],

  word_granted: ['请通行', 'Go ahead'],
  word_attention: ['请通行', 'Go ahead'],
  word_repeat: ['刚才已放行', 'Already admitted'],
  word_denied: ['不能通行', 'No entry'],
  word_used: ['码已用过', 'Already used'],
  word_again: ['请再试一次', 'Try again'],
  word_asking: ['请稍候', 'One moment'],
  word_question: ['需要核对证件', 'Document needed'],

  say_granted: ['欢迎', 'Welcome'],
  say_leave: ['再见', 'Goodbye'],
  say_attention: ['通行证已到期或作废，请到社区办办理', 'Your pass has ended; please see the community office'],
  say_repeat: ['这个码刚刚放行过，闸机不会再开', 'This code was admitted a moment ago; the gate stays shut'],
  next_repeat: ['如果还没有进去，请呼叫值班员', 'If you are not through yet, call a guard'],
  say_asking: ['正在核实，不要离开', 'Checking, please stay'],
  say_question: ['请准备好有效证件', 'Have your document ready'],
  used_at: ['首次使用：{time} {gate}', 'First used: {time} {gate}'],
  owner_at: ['请走：{gate}', 'Please use: {gate}'],

  call_calling: ['正在呼叫值班员', 'Calling a guard'],
  call_ringing: ['正在呼叫值班员', 'Calling a guard'],
  call_unheard: ['暂时接不通', 'Not reached yet'],
  call_coming: ['值班员正在赶来', 'A guard is coming'],
  call_refused: ['值班员暂时不能来', 'No guard can come now'],
  call_missed: ['无人应答', 'Nobody answered'],
  call_failed: ['呼叫没有成功', 'The call failed'],
  call_say_calling: ['请在此稍候', 'Please wait here'],
  call_say_ringing: ['{gate}已响铃，请在此稍候', 'Ringing at {gate}, please wait here'],
  call_say_unheard: ['请拨打下面的电话，或到有人值守的校门', 'Please phone the number below, or use a gate with a guard'],
  call_say_unheard_nophone: ['请到有人值守的校门', 'Please use a gate with a guard'],
  call_say_coming: ['{gate}的值班员正在赶来，请不要离开', 'The guard of {gate} is on the way, please stay'],
  call_document: ['请备好证件，值班员要核对', 'Have your document ready for the guard'],
  seconds: ['{n} 秒', '{n} s'],
  phone: ['电话', 'Phone'],

  trouble: ['暂停使用', 'Out of order'],
  trouble_lockdown: ['校门临时关闭', 'Gate closed'],
  trouble_emergency: ['紧急开放', 'Emergency'],
  why_agent: ['系统正在恢复，请稍候', 'The system is coming back, please wait'],
  why_scanner: ['扫码器没有连接', 'The scanner is not connected'],
  why_barrier: ['闸机没有连接', 'The barrier is not connected'],
  why_snapshot: ['系统还没有收到通行名单', 'No lists have been received yet'],
  why_stale: ['通行名单太久没有更新', 'The lists are too old'],
  why_clock: ['系统时间不准', 'The system’s clock is wrong'],
  why_lockdown: ['请等候保卫处通知', 'Please wait for the security office'],
  why_emergency: ['请有序离开，听从指挥', 'Leave in order and follow instructions'],
  go_other: ['请走：{gate}', 'Please use: {gate}'],
  go_any: ['请走其他校门', 'Please use another gate'],
} as const satisfies Table

export type Word = keyof typeof words

export const t = speaker(words)

/** Why not, and what to do now. {other} is the nearest gate with a guard, or "another gate". */
const reasons: Record<string, readonly [zh: readonly [string, string], en: readonly [string, string]]> = {
  malformed: [['这不是校园通行码', '打开“通行码”页面，再扫一次'], ['This is not a campus code', 'Open the page with your code and scan again']],
  unknown_key: [['查不到这个码的签发单位', '请到社区办核实'], ['The issuer of this code is not known', 'Please have it checked at the community office']],
  bad_signature: [['这个码不是真的', '请用自己手机上的通行码'], ['This code is not genuine', 'Please use the code on your own phone']],
  wrong_kind: [['这里不用这种码', '付款码请在食堂使用；过门请用通行码'], ['Not the kind of code for this gate', 'Payment codes are for canteens; use your pass here']],
  wrong_site: [['这是其他校园的码', '请出示本校的通行码'], ['This code is of another campus', 'Please use a code of this campus']],
  revoked: [['这个通行码已作废', '请在手机上重新申请，或到社区办'], ['This code was withdrawn', 'Apply again on your phone, or see the community office']],
  blocked: [['您的通行受限', '请联系保卫处'], ['Your passage is restricted', 'Please see the security office']],
  clock_untrusted: [['本机时间不准，暂停通行', '请走{other}'], ['This gate’s clock is wrong', 'Please use {other}']],
  policy_stale: [['本机名单太旧，暂停通行', '请走{other}'], ['This gate’s lists are too old', 'Please use {other}']],
  proof_missing: [['截图和打印件不能用', '请在自己手机上打开通行码'], ['Screenshots and prints do not work', 'Open the code on your own phone']],
  proof_stale: [['这个码已过时', '刷新后再扫；仍不行请校准手机时间'], ['This code is out of date', 'Refresh it and scan again; check your phone’s clock']],
  not_yet_valid: [['通行证还没到生效日期', '请在生效当天再来'], ['Your pass is not valid yet', 'Please come back on its first day']],
  expired: [['通行证已过期', '请在手机上重新申请'], ['Your pass has expired', 'Please apply again on your phone']],
  replayed: [['这个码刚才扫过了', '刷新通行码后再扫一次'], ['This code was scanned already', 'Refresh your code and scan again']],
  wrong_gate: [['您的通行证不能走这个门', '请走通行证上写明的校门'], ['Your pass is not for this gate', 'Please use a gate named on your pass']],
  outside_hours: [['现在不是开放时间', '请在开放时间再来'], ['Outside opening hours', 'Please come back during opening hours']],
  lockdown: [['校门临时关闭', '请等候保卫处通知'], ['The gate is closed for now', 'Please wait for the security office']],
  document_required: [['需要核对证件', '请到{other}，由值班员核对'], ['A document must be checked', 'Please go to {other}: a guard checks it there']],
  document_not_accepted: [['这种证件不能用', '请带有效证件到{other}'], ['This document is not accepted', 'Please bring a valid one to {other}']],
  document_incomplete: [['证件不齐', '请带齐证件到{other}'], ['A document is missing', 'Please bring all of them to {other}']],
  offline_not_allowed: [['暂时无法确认', '请再扫一次；仍不行请走{other}'], ['Could not be confirmed', 'Scan again; if it fails, please use {other}']],
  occupancy_full: [['校内人数已满', '请等有人离开后再扫'], ['The campus is full', 'Scan again when somebody has left']],
  antipassback: [['记录显示您已在校内', '出门时漏扫的，请呼叫值班员'], ['You are recorded as inside', 'If you left without scanning, call a guard']],
  already_used: [['这个单次码已经用过', '请重新申请，或呼叫值班员'], ['This single-use code was used', 'Apply again, or call a guard']],
  internal: [['系统没有处理成功', '请再扫一次；仍不行请呼叫值班员'], ['Something went wrong', 'Scan again; if it fails, call a guard']],
}

/** Why a scan was refused and what to do, in one language. Unknown reasons of a newer agent send to a guard. */
export function reasonWords(reason: string, language: 'zh' | 'en', otherGate: string): { why: string; next: string } {
  const at = language === 'zh' ? 0 : 1
  const [why, next] = (reasons[reason] ?? reasons.internal!)[at]
  const other = otherGate || (language === 'zh' ? '有人值守的校门' : 'a gate with a guard')
  return { why, next: next.replace('{other}', other) }
}
