import { addWords } from '../../i18n'

addWords({
  notices_none: ['还没有通知公告', 'Nothing has been published yet'],
  archive_none: ['没有符合条件的备案', 'Nothing filed like that'],
  archive_find: ['标题或流水号', 'Title or serial'],
  archive_title: ['标题', 'Title'],
  archive_serial: ['流水号', 'Serial'],
  archive_at: ['备案时间', 'Filed at'],
})
