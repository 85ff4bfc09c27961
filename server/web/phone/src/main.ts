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
  async unauthorized() {
    session.lost()
    await router.isReady() // it may come while the first page is still on its way
    const at = router.currentRoute.value
    if (!at.meta.open && !at.meta.kept) await router.replace(loginTo(at))
  },
  mustChange: () => void router.replace('/password'),
})

watch([lang, router.currentRoute], ([, route]) => {
  document.title = route.meta.title ? `${t(route.meta.title)} · ${t('app')}` : t('app')
})

createApp(App).use(router).use(i18n).mount('#app')
startWorker()
