// What the one-page helps say. Chinese first, English second; each fits one
// sheet of A4.

import type { Sign } from '../faces'
import type { Lang } from '../types'

export type Both = readonly [zh: string, en: string]

export type Part =
  | { kind: 'signs'; head: Both; rows: { field: string; sign: Sign; word: Both; text: Both }[] }
  | { kind: 'table'; head: Both; rows: { key: Both; text: Both }[] }
  | { kind: 'keys'; head: Both; rows: { key: string; text: Both }[] }
  | { kind: 'steps'; head: Both; rows: { minutes: string; text: Both; code?: string }[] }

export interface Page {
  title: Both
  lead: Both
  parts: Part[]
}

export const say = (both: Both, lang: Lang): string => both[lang === 'zh' ? 0 : 1]

const guard: Page = {
  title: ['门卫使用说明', 'For the guard'],
  lead: ['看颜色、看图形、听声音；闸机由程序开，断网照常工作。', 'Watch colour and shape, hear the sound. The barrier opens by itself, with or without a network.'],
  parts: [
    {
      kind: 'signs',
      head: ['画面颜色', 'What the screen says'],
      rows: [
        { field: '#0a6029', sign: 'tick', word: ['放行', 'Allow'], text: ['闸门已开，请通行', 'The barrier is open, let them through'] },
        { field: '#a80f1a', sign: 'cross', word: ['拒绝', 'Refuse'], text: ['不放行；照画面底部的提示告诉对方去哪里', 'Do not admit; tell them what the bottom line says'] },
        { field: '#8a3a08', sign: 'cross', word: ['已用过', 'Used'], text: ['单次码用过了；画面有首次使用的时间和校门', 'The single-use code was used; time and gate are shown'] },
        { field: '#6a5000', sign: 'bang', word: ['注意', 'Look'], text: ['刚才放行过同一个码，或离校的人证件已过期：看一眼是不是本人', 'Shown again, or leaving with an ended pass: make sure of the person'] },
        { field: '#1c4a80', sign: 'ask', word: ['核对证件', 'Document'], text: ['看证件，点选，按 Enter；没有证件按 Esc', 'Look at the document, tick it, Enter; without one Esc'] },
        { field: '#5a2675', sign: 'ask', word: ['请确认', 'Confirm'], text: ['联系不上其他校门：核对证件，放行按 Y，拒绝按 Esc', 'No other gate can be reached: compare a document; Y lets in, Esc refuses'] },
        { field: '#3b4957', sign: 'undo', word: ['已撤销 / 请稍候', 'Taken back / wait'], text: ['没有人通过，或正在向其他校门核实', 'Nobody went through, or another gate is being asked'] },
      ],
    },
    {
      kind: 'table',
      head: ['遇到情况怎么办', 'What to do when …'],
      rows: [
        { key: ['上岗', 'you begin'], text: ['按 H，输工号和口令；按任意键让声音启用', 'H, number and PIN; any key turns the sound on'] },
        { key: ['扫码没反应', 'a scan does nothing'], text: ['看顶部扫码器是否“断开”：重插 USB，两秒内恢复；仍不行按 I 手工输入', 'Is the scanner “lost”? Plug it again, it is back in 2 s; else type the code (I)'] },
        { key: ['绿灯但闸门没开', 'green, but shut'], text: ['手动开门，查继电器的线；记录已经写好', 'Open by hand, check the relay’s cable; the record is written'] },
        { key: ['开了没人过', 'nobody went through'], text: ['15 分钟内按 N，此码还能再用', 'N within 15 minutes; the code is good again'] },
        { key: ['没有码', 'somebody has no code'], text: ['按 G，选是什么人，点证件；学生离返校、亲属进出记登记簿 R', 'G: choose who, tick documents; students and relatives are in the registers (R)'] },
        { key: ['画面变蓝并响铃', 'it rings'], text: ['无人校门在呼叫：按 J 应答，马上过去，或核对证件后放行', 'A gate without a guard calls: J, then come, or admit after the document check'] },
        { key: ['火警、急救', 'fire, ambulance'], text: ['按 E 敞开闸门，写原因；完了再按 E 恢复', 'E opens the barriers, with a reason; E again when it is over'] },
        { key: ['显示离线', 'offline'], text: ['照常扫码；联网后自动补传', 'Go on scanning; records are sent later'] },
        { key: ['“时间不可信”', 'clock not trusted'], text: ['请对方走别的门，通知管理员校时', 'Send people to another gate, tell the administrator'] },
        { key: ['码是假的', 'not genuine'], text: ['不放行，报告保卫处；不要收手机', 'Do not admit, tell the security office; keep no phone'] },
      ],
    },
    {
      kind: 'keys',
      head: ['按键', 'Keys'],
      rows: [
        { key: '1 … 9', text: ['选证件', 'tick a document'] }, { key: 'Enter', text: ['确认', 'confirm'] }, { key: 'Esc', text: ['拒绝、关闭', 'refuse, close'] },
        { key: 'Y', text: ['仍要放行', 'let in all the same'] }, { key: 'N', text: ['没有人通过', 'nobody went through'] }, { key: 'G', text: ['无码登记', 'no code'] }, { key: 'R', text: ['登记簿', 'registers'] },
        { key: 'S', text: ['查找', 'search'] }, { key: 'I', text: ['手工输入', 'type a code'] }, { key: 'J', text: ['接听呼叫', 'answer a call'] },
        { key: 'E', text: ['紧急开闸、封闭', 'emergency, lockdown'] }, { key: 'T', text: ['触发扫码器', 'trigger the scanner'] },
        { key: 'H', text: ['值班', 'shift'] }, { key: 'V', text: ['检修', 'service'] }, { key: 'C', text: ['摄像头', 'camera'] }, { key: 'M', text: ['静音', 'mute'] }, { key: 'L', text: ['语言', 'language'] },
      ],
    },
  ],
}

const cashier: Page = {
  title: ['收银员使用说明', 'For the cashier'],
  lead: ['整台机器用数字小键盘操作；断网也能收，限额以内。', 'Everything works by the numeric keypad; also without a network, within limits.'],
  parts: [
    {
      kind: 'signs',
      head: ['画面颜色', 'What the screen says'],
      rows: [
        { field: '#0a6029', sign: 'tick', word: ['收款成功', 'Paid'], text: ['金额和余额都在画面上，可以出餐', 'Amount and balance are shown; serve'] },
        { field: '#a80f1a', sign: 'cross', word: ['没有收到', 'Not paid'], text: ['看原因：余额不足、挂失、超限额；请对方换方式', 'See why: balance, lost card, limit; another way to pay'] },
        { field: '#1c4a80', sign: 'ask', word: ['请确认', 'Confirm'], text: ['同一个人再付一次？是按 Enter，不是按 −', 'The same holder once more? Enter for yes, − for no'] },
        { field: '#6a5000', sign: 'bang', word: ['注意', 'Look'], text: ['同一个码又扫了一次，没有再收钱', 'The same code again; nothing was charged'] },
        { field: '#3b4957', sign: 'undo', word: ['已撤销 / 请稍候', 'Taken back / wait'], text: ['钱已退回，或正在询问服务器', 'The money went back, or the server is being asked'] },
      ],
    },
    {
      kind: 'table',
      head: ['遇到情况怎么办', 'What to do when …'],
      rows: [
        { key: ['开始营业', 'you begin'], text: ['/ 然后 6 登录，/ 然后 5 开批次', '/ then 6 logs in, / then 5 opens the batch'] },
        { key: ['收一笔', 'to charge'], text: ['输金额，Enter，请对方亮付款码；多样用 +，份数用 *', 'Type the amount, Enter, let them show the code; + adds, * multiplies'] },
        { key: ['收错了', 'a wrong charge'], text: ['/ 然后 2 选那一笔，主管输口令撤销；批次结束后到卡务中心退', '/ then 2, choose it, a supervisor’s PIN voids; after the batch the card office refunds'] },
        { key: ['不知道收没收到', 'in doubt'], text: ['/ 然后 1 看上一笔；同一个码不会收两次', '/ then 1 shows the last; a code never pays twice'] },
        { key: ['显示离线', 'offline'], text: ['照常收，限额以内；联网后自动入账', 'Go on within limits; posted when the network is back'] },
        { key: ['扫码器断开', 'scanner lost'], text: ['重插 USB，两秒内恢复', 'Plug it again, it is back in 2 s'] },
        { key: ['停电、死机', 'power cut'], text: ['重新开机；显示成功过的都在，没有显示的没有收', 'Start again: what was shown as paid is kept, the rest was not charged'] },
        { key: ['结束营业', 'you end'], text: ['/ 然后 5 结批次，核对小票，/ 然后 6 下班', '/ then 5 closes the batch, compare the slip, / then 6 ends the shift'] },
      ],
    },
    {
      kind: 'keys',
      head: ['按键', 'Keys'],
      rows: [
        { key: '0 … 9 .', text: ['金额', 'amount'] }, { key: '+', text: ['再加一样', 'one more item'] }, { key: '*', text: ['份数', 'times'] },
        { key: 'Enter', text: ['确认', 'confirm'] }, { key: '−', text: ['改正、取消', 'correct, cancel'] }, { key: '/', text: ['功能', 'functions'] },
        { key: '/ 7', text: ['声音', 'sound'] }, { key: '/ 8', text: ['语言', 'language'] }, { key: '/ .', text: ['本说明', 'this page'] },
      ],
    },
  ],
}

const installer: Page = {
  title: ['安装说明：二十分钟', 'For the installer: twenty minutes'],
  lead: ['一把螺丝刀、一根网线、一张登记码。每一步都能单独检查。', 'A screwdriver, a network cable, an enrolment code. Every step can be checked by itself.'],
  parts: [
    {
      kind: 'steps',
      head: ['步骤', 'Steps'],
      rows: [
        { minutes: '0–4', text: ['接好扫码器（USB）和继电器（USB），继电器常开触点接闸机“开门”输入；闸机自带的红外仍归闸机管。', 'Plug scanner and relay (USB); wire the relay’s normally-open contact to the barrier’s “open” input. The barrier keeps its own safety sensors.'] },
        { minutes: '4–6', text: ['看设备在不在：Linux 用下面的命令，Windows 看设备管理器的 COM 口。两个都要看到；用带序列号的名字，换插口不会变。', 'See that both are there (Windows: COM ports in the device manager). Use names with a serial number: they survive another socket.'], code: 'ls -l /dev/serial/by-id' },
        { minutes: '6–9', text: ['复制样例，只改四处：server、data、scanner.path、barrier.path。无人校门用 kiosk.yaml，另写 phone 和 other_gate。', 'Copy the sample; change four things: server, data, scanner.path, barrier.path. Without a guard: kiosk.yaml, with phone and other_gate.'], code: 'cp configs/gate.yaml gate.yaml' },
        { minutes: '9–11', text: ['登记：控制台“校门”里生成登记码，24 小时内用一次。', 'Enrol: the console makes a code under Gates, good once within 24 hours.'], code: 'gateagent enroll -config gate.yaml -code CODE' },
        { minutes: '11–13', text: ['自检，每一行都要是 ✓；✕ 的下一行写着怎么改。', 'Check: every line must be ✓; below a ✕ stands what to change.'], code: 'gateagent doctor -config gate.yaml' },
        { minutes: '13–15', text: ['启动，打开门卫页面；顶部应显示“在线、扫码器正常、闸机正常”。', 'Start it, open the guard page: online, scanner OK, barrier OK.'], code: 'gateagent -config gate.yaml   →   http://127.0.0.1:8471/' },
        { minutes: '15–17', text: ['试扫：用手机上的通行码，绿灯、开闸、有声音；再扫一张普通二维码，应拒绝。拔掉扫码器再插上，两秒内恢复。', 'Test: a real code gives green, sound and an open barrier; any other QR code is refused. Unplug the scanner and plug it again: back in 2 s.'] },
        { minutes: '17–19', text: ['开机自启：安装成服务；浏览器全屏打开页面，并允许自动播放声音。', 'Autostart: install the service; open the page full screen, with sound allowed.'], code: 'chromium --kiosk --autoplay-policy=no-user-gesture-required http://127.0.0.1:8471/' },
        { minutes: '19–20', text: ['拔网线再试一次：照常放行，页面显示离线；插回后“待上传”归零。重启电脑，确认自己起来。', 'Pull the network cable: codes still work, the page says offline; back in, the queue goes to zero. Restart the PC: all of it comes back.'] },
      ],
    },
    {
      kind: 'table',
      head: ['不对的时候', 'When something is wrong'],
      rows: [
        { key: ['扫码器：断开', 'scanner: lost'], text: ['串口型用 serial；当键盘用的选 none，页面直接收。波特率默认 9600，建议设备改 115200', 'Serial types: serial; keyboard types: none, the page reads them. 9600 baud by default, 115200 is better'] },
        { key: ['绿灯，闸不动', 'green, nothing moves'], text: ['听继电器有没有“嗒”：有则查闸机端子，没有则查 path 和 channel', 'Does the relay click? Then check the barrier’s terminals, else path and channel'] },
        { key: ['闸开了不关', 'it stays open'], text: ['pulse_ms 太长，或接在了常闭触点上', 'pulse_ms is too long, or the wire is on the normally-closed contact'] },
        { key: ['登记码不认', 'code not accepted'], text: ['过了 24 小时或用过了：再生成一张。证书不信任：写 tls.ca', 'Older than 24 hours or used: make another. Certificate not trusted: tls.ca'] },
        { key: ['时间不可信', 'clock not trusted'], text: ['校准电脑时间，换主板电池，联网一次', 'Set the PC’s clock, change its battery, connect once'] },
        { key: ['断网时拒绝', 'refuses when cut off'], text: ['单次码由归属校门判定。门不能关的地方，在控制台把此门改为“先到先得”：断网也放行，可能与另一断网校门各放行一次，联网后报告', 'Single-use codes are decided by one gate. Where a gate must not close, choose “first seen” in the console: it admits alone; another gate that is cut off may admit the same code once, which is reported'] },
        { key: ['程序更新', 'updates'], text: ['在控制台“校门 → 程序更新”提供，不用到现场；空闲时自动更换，失败自动退回，原因在控制台和自检里', 'Rolled out in the console (Gates → Updates), nobody walks: changed over when nobody passes, taken back if it fails; the doctor says why'] },
        { key: ['换电脑', 'another PC'], text: ['旧的先关机，用新登记码再登记；数据目录不要复制', 'Switch the old one off, enrol anew; never copy the data folder'] },
      ],
    },
  ],
}

export const pages: Record<string, Page> = { guard, cashier, installer }
