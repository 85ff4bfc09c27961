import { addWords } from '../../i18n'

addWords({
  over_gates: ['在线校门', 'Gates online'],
  over_of: ['共 {n} 个', 'of {n}'],
  over_queue: ['待传记录', 'Records waiting'],
  over_admitted: ['今日放行', 'Admitted today'],
  over_refused: ['今日拒绝', 'Refused today'],
  over_running: ['审核中的申请', 'Under review'],
  over_alarms: ['需要处理', 'Needs attention'],
  over_alarms_none: ['一切正常', 'All is well'],
  over_conflicts: ['{n} 个通行证超次使用', '{n} passes were used more often than they allow'],
  over_quarantine: ['{n} 条记录被隔离', '{n} records are quarantined'],
  over_no_agent: ['没有门岗程序', 'No agent'],
  over_hours: ['今日通行', 'Today by the hour'],
  over_hours_none: ['今天还没有通行记录', 'Nothing at the gates yet today'],
  over_gate_last: ['最近扫码 {ago}', 'Last scan {ago}'],
  over_fresh: ['每 15 秒刷新', 'Refreshed every 15 s'],
})
