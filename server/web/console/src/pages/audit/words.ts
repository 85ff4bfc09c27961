import { addWords } from '../../i18n'

addWords({
  audit_at: ['时间', 'Time'],
  audit_actor: ['操作者', 'Who'],
  audit_action: ['操作', 'What'],
  audit_target: ['对象', 'Of what'],
  audit_details: ['内容', 'Details'],
  audit_id: ['序号', 'No.'],
  audit_none: ['没有更多记录', 'No more entries'],
  audit_before: ['序号早于', 'Before no.'],
  audit_next: ['更早', 'Earlier'],
  audit_latest: ['最新', 'Latest'],
  audit_hint: ['最新的在前;每一条都与前一条相扣,不能改动。', 'Newest first; each entry is chained to the one before it.'],
})
