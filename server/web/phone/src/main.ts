import { onCalls } from '@shared/api'
import { followLang, lang } from '@shared/lang'
import 'vant/es/style/base.css'
import { createApp, watch } from 'vue'
import App from './App.vue'
import { i18n, t } from './i18n'
import { noteAnswer } from './live/clock'
import { loginTo, router } from './router'
import { session } from './state/session'
import { startWorker } from './state/worker'
import './style.css'

followLang()

onCalls({
  answered: noteAnswer,
  unauthorized() {
    const at = router.currentRoute.value
    session.lost()
    if (at.matched.length && !at.meta.open && !at.meta.kept) void router.replace(loginTo(at))
  },
  mustChange: () => void router.replace('/password'),
})

watch([lang, router.currentRoute], ([, route]) => {
  document.title = route.meta.title ? `${t(route.meta.title)} · ${t('app')}` : t('app')
})

createApp(App).use(router).use(i18n).mount('#app')
startWorker()
