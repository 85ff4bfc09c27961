import { addWords } from '../../i18n'

addWords({
  audit_at: ['时间', 'Time'],
  audit_actor: ['操作者', 'Who'],
  audit_action: ['操作', 'What'],
  audit_target: ['对象', 'Of what'],
  audit_details: ['内容', 'Details'],
  audit_id: ['序号', 'No.'],
  audit_none: ['没有更多记录', 'No more entries'],
  audit_after: ['从序号之后', 'After no.'],
  audit_next: ['下一页', 'Next page'],
  audit_back: ['上一页', 'Page before'],
  audit_hint: ['按先后排列;每一条都与前一条相扣,不能改动。', 'In order; each entry is chained to the one before it.'],
})
