// The till's pages' own words in both languages. What a refusal means comes from
// the agent (GET /api/v1/texts); what reads otherwise at a till stands here.

import { lang, speaker, type Table } from '../lang'
import type { Sign } from '../faces'
import type { Lang, ReasonText, Texts } from '../types'
import type { Face } from './state'
import type { Payment } from './types'

const words = {
  title: ['{till} · 收银', '{till} · Till'],
  customer_title: ['{till} · 顾客屏', '{till} · Customer screen'],
  till: ['收银台', 'Till'],
  stage: ['收款', 'Sale'],
  state: ['状态', 'State'],
  notices: ['提醒', 'Notices'],
  keypad: ['数字键盘', 'Keypad'],
  recent: ['最近收款', 'Latest payments'],
  recent_none: ['还没有收款', 'No payments yet'],
  and: ['，', ', '],

  online: ['在线', 'Online'],
  offline: ['离线', 'Offline'],
  batch_n: ['第 {n} 班', 'Batch {n}'],
  batch_closed: ['未开班', 'Closed'],
  batch_count: ['{n} 笔', '{n} paid'],
  cashier_none: ['无收银员', 'No cashier'],
  no_period: ['非用餐时段', 'Between meals'],
  no_price: ['非用餐时段，没有餐次价；可输入金额收款', 'Between meals there is no price; amounts can be keyed in'],

  entry_amount: ['输入金额', 'Amount'],
  entry_fixed: ['一口价', 'Fixed price'],
  entry_period: ['餐次价', 'Price of the meal'],
  entry_menu: ['菜单键', 'Menu'],
  entry_hint_amount: ['每次输入金额', 'Key in each amount'],
  entry_hint_fixed: ['每次 {price}', '{price} each time'],
  entry_hint_period: ['{period} {price}', '{period} {price}'],
  entry_hint_menu: ['按键号点菜，共 {n} 键', 'By key number, {n} keys'],
  sticky_on: ['连续收款', 'Same again'],

  prompt_amount: ['输入金额，按 Enter 收款', 'Key in the amount, then Enter'],
  prompt_menu: ['输入键号，+ 加一项，Enter 收款', 'Key number, + adds, Enter charges'],
  prompt_typing: ['按 Enter 收款，+ 再加一项', 'Enter to charge, + to add'],
  armed: ['请出示付款码', 'Show the payment code'],
  armed_hint: ['扫码收款；- 取消', 'Waiting for the scan; - cancels'],
  armed_again: ['仍可再扫，或请换一种付款方式；- 取消', 'Scan again, or pay another way; - cancels'],
  price_hint: ['每扫一次收一份；输入其他金额按 Enter', 'One portion per scan; key in another amount and Enter'],
  last_was: ['上一次', 'Before'],
  items: ['明细', 'Items'],
  items_more: ['还有 {n} 项', '{n} more'],
  unknown_key: ['没有 {n} 号键', 'No key {n}'],
  page_next: ['下一页', 'Next page'],
  page_of: ['{page}/{pages} 页', 'Page {page} of {pages}'],

  clear: ['清除', 'Clear'],
  functions: ['功能', 'Menu'],
  ok: ['收款', 'OK'],

  paid: ['收款成功', 'Paid'],
  balance: ['余额', 'Balance'],
  balance_later: ['联网后可查', 'known once online'],
  offline_charge: ['离线收款', 'Taken offline'],
  holder: ['持卡人', 'Holder'],
  still_armed: ['待收', 'To pay'],
  once_more: ['再收一笔', 'Once more'],
  not_again: ['不收', 'No'],
  voided: ['已撤销', 'Voided'],

  banner_offline: ['离线收款中', 'Working offline'],
  banner_offline_text: ['{records} 笔 {sum} 待上传，最早 {oldest}前', 'Payments to upload: {records}, {sum}; the oldest {oldest} ago'],
  banner_offline_none: ['没有待上传的收款', 'Nothing to upload'],
  banner_synced: ['{age}前同步过', 'Last synced {age} ago'],
  banner_synced_never: ['从未同步', 'Never synced'],
  banner_skew: ['电脑时间偏差 {age}', 'The computer’s clock is off by {age}'],
  banner_skew_text: ['程序已自动校正，请管理员检查', 'Corrected by the agent; ask the administrator to look'],
  banner_printer: ['打印机不能用', 'No printing'],
  banner_printer_paper_out: ['打印机缺纸，请装纸；收款不受影响', 'The printer is out of paper; payments go on'],
  banner_printer_cover_open: ['打印机盖未合上；收款不受影响', 'The printer’s cover is open; payments go on'],
  banner_printer_fault: ['请检查打印机的电源和线；收款不受影响', 'Check the printer’s power and cable; payments go on'],
  banner_sound: ['声音还没有启用', 'Sound is not on yet'],
  banner_sound_text: ['按任意键，或点这里', 'Press any key, or this button'],
  sound_start: ['启用声音', 'Turn sound on'],

  trouble_starting: ['正在连接', 'Connecting'],
  trouble_starting_text: ['正在连接本机程序…', 'Connecting to the agent…'],
  trouble_lost: ['暂停收款', 'Out of order'],
  trouble_lost_text: ['与本机程序失去联系，正在重连', 'The agent on this computer does not answer; reconnecting'],
  trouble_rules: ['暂停收款', 'Out of order'],
  trouble_rules_text: ['还没有收到本机的收款规则，请联系管理员', 'No rules for this till have come yet; ask the administrator'],
  trouble_clock: ['暂停收款', 'Out of order'],
  trouble_clock_text: ['本机时间不可信，请管理员校时', 'The clock cannot be trusted; ask the administrator to set it'],
  trouble_shift: ['请先登录', 'Log in first'],
  trouble_shift_text: ['按 Enter 登录收银员', 'Enter: the cashier logs in'],
  trouble_batch: ['尚未开班', 'Till is closed'],
  trouble_batch_text: ['按 Enter 开班', 'Enter: open a batch'],

  back: ['返回', 'Back'],
  choose: ['按数字键选择', 'Press a digit'],
  fn_last: ['上一笔', 'Last payment'],
  fn_charges: ['本班明细、撤销', 'This batch, voids'],
  fn_entry: ['收款方式', 'Way of entry'],
  fn_sticky: ['连续收同一金额', 'Same amount again'],
  fn_batch: ['开班、结班', 'Open, close'],
  fn_shift: ['收银员登录、退出', 'Cashier'],
  fn_sound: ['声音', 'Sound'],
  fn_language: ['English', '中文'],
  fn_paper: ['小票纸宽', 'Paper width'],
  fn_print: ['打印上一笔', 'Print the last one'],
  fn_customer: ['打开顾客屏', 'Customer screen'],
  fn_help: ['使用说明', 'Help page'],
  on: ['开', 'on'],
  off: ['关', 'off'],
  mm: ['{n} 毫米', '{n} mm'],

  charges_title: ['本班明细', 'This batch'],
  charges_none: ['本班还没有收款', 'No payments in this batch yet'],
  charges_hint: ['数字键选一笔，+ 下一页', 'A digit chooses, + next page'],
  loading: ['正在读取…', 'Loading…'],
  retry: ['重试', 'Try again'],
  charge_title: ['收款明细', 'Payment'],
  last_title: ['上一笔', 'Last payment'],
  last_none: ['还没有收款', 'No payment yet'],
  print: ['打印小票', 'Print'],
  printed: ['已打印', 'Printed'],
  void: ['撤销这笔', 'Void'],
  void_title: ['撤销 {price}', 'Void {price}'],
  void_text: ['需要主管的工号和口令。撤销后款项退回持卡人。', 'Needs a supervisor’s number and PIN. The money goes back to the holder.'],
  number: ['工号', 'Staff number'],
  pin: ['口令', 'PIN'],
  confirm: ['确认', 'Confirm'],

  shift_title: ['收银员登录', 'Cashier logs in'],
  shift_on: ['{name}（{number}）', '{name} ({number})'],
  shift_on_title: ['当前收银员', 'On duty'],
  supervisor: ['主管', 'Supervisor'],
  shift_end: ['退出登录', 'Log out'],
  shift_relief: ['换人登录', 'Another logs in'],

  batch_open_title: ['第 {n} 班营业中', 'Batch {n} is open'],
  batch_closed_title: ['第 {n} 班已结束', 'Batch {n} is closed'],
  batch_none_title: ['还没有开过班', 'No batch yet'],
  batch_open_go: ['开班', 'Open a batch'],
  batch_close_go: ['结班', 'Close the batch'],
  batch_close_sure: ['确认结班？结班后不能再撤销本班的收款', 'Close it? Payments of it can then not be voided here'],
  batch_close_yes: ['确认结班', 'Yes, close'],
  batch_print: ['打印结班小票', 'Print the slip'],
  batch_opened: ['开班时间', 'Opened'],
  batch_ended: ['结班时间', 'Closed'],
  batch_charges: ['收款笔数', 'Payments'],
  batch_voids: ['撤销笔数', 'Voids'],
  batch_total: ['净收款', 'Total'],

  slip_charge: ['收款小票', 'Receipt'],
  slip_void: ['撤销小票', 'Void receipt'],
  slip_batch: ['结班小票', 'Batch slip'],
  slip_time: ['时间', 'Time'],
  slip_day: ['营业日', 'Business day'],
  slip_flow: ['流水号', 'Flow no.'],
  slip_batch_n: ['班次', 'Batch'],
  slip_amount: ['金额', 'Amount'],
  slip_signature: ['收银员签字', 'Signature'],
  slip_thanks: ['谢谢惠顾', 'Thank you'],

  garbled: ['没有扫完整，请再扫一次', 'Not read in full, scan again'],

  welcome: ['欢迎光临', 'Welcome'],
  to_pay: ['应付', 'To pay'],
  show_code: ['请出示付款码', 'Please show your payment code'],
  wait: ['请稍候', 'One moment'],
  thanks: ['谢谢', 'Thank you'],
  not_paid: ['未付款', 'Not paid'],
  pause: ['暂停收款', 'Out of order'],
  pause_text: ['请到其他窗口', 'Please use another counter'],
} as const satisfies Table

export type Word = keyof typeof words

export const t = speaker(words)

/** What reads otherwise where somebody pays than where somebody goes through. */
const own: Record<string, Record<Lang, ReasonText>> = {
  paid: { zh: { word: '收款成功', title: '', next: '' }, en: { word: 'Paid', title: '', next: '' } },
  amount: {
    zh: { word: '先输金额', title: '还没有金额', next: '输入金额按 Enter，再请顾客扫码' },
    en: { word: 'Amount?', title: 'No amount yet', next: 'Key in the amount, press Enter, then scan again' },
  },
  confirm: {
    zh: { word: '再付一笔？', title: '同一人刚付过款', next: 'Enter 再收一笔；- 不收' },
    en: { word: 'Once more?', title: 'The same holder has just paid', next: 'Enter charges once more, - does not' },
  },
  asking: { zh: { word: '请稍候', title: '正在确认付款', next: '' }, en: { word: 'One moment', title: 'Confirming the payment', next: '' } },
  repeat: {
    zh: { word: '已经收过', title: '这个码刚才付过款，没有再收', next: '再收一笔请顾客刷新付款码' },
    en: { word: 'Paid before', title: 'This code has just paid; nothing more was taken', next: 'For another payment ask for a fresh code' },
  },
  voided: { zh: { word: '已撤销', title: '款项已退回', next: '' }, en: { word: 'Voided', title: 'The money went back', next: '' } },
  offline_not_allowed: {
    zh: { word: '请重扫', title: '断网时不能这样收', next: '请再扫一次；仍不行请换一种付款方式' },
    en: { word: 'Scan again', title: 'Not possible without network', next: 'Scan again; if it fails, ask for another way to pay' },
  },
  expired: {
    zh: { word: '拒绝', title: '付款码已过期', next: '请联网后在手机上重新打开付款码' },
    en: { word: 'Refuse', title: 'Payment code has expired', next: 'Ask them to open the code again with the phone online' },
  },
  revoked: {
    zh: { word: '拒绝', title: '付款码已失效', next: '请在手机上重新打开付款码，或到卡务中心办理' },
    en: { word: 'Refuse', title: 'Payment code was withdrawn', next: 'Ask them to open the code again, or send to the card office' },
  },
  blocked: {
    zh: { word: '拒绝', title: '此账户不能付款', next: '请到卡务中心办理' },
    en: { word: 'Refuse', title: 'This account cannot pay', next: 'Send to the card office' },
  },
}

/** What to say about a payment, in a language. */
export function textOf(texts: Texts | null, p: Payment, face: Face, as: Lang = lang.value): ReasonText {
  if (face !== 'refused') return own[face]![as]
  return own[p.reason]?.[as] ?? texts?.reasons[as]?.[p.reason] ?? { word: t('not_paid', {}, as), title: p.reason, next: '' }
}

/** The shape of each face's sign. */
export const signOf: Record<Face, Sign> = { paid: 'tick', refused: 'cross', repeat: 'bang', amount: 'ask', confirm: 'ask', asking: 'ask', voided: 'undo' }

/** A name in a language; many things have one in Chinese only. */
export const named = (x: { name: string; name_en?: string }, as: Lang = lang.value): string => (as === 'en' && x.name_en ? x.name_en : x.name)
