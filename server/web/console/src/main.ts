import { createApp } from 'vue'
import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
import './theme.css'
import './style.css'
import { followLang } from '@shared/lang'
import { hideKey } from './adminlink'
import App from './App.vue'
import { i18n } from './i18n'
import { router } from './router'
import { followTheme } from './theme'
import './words'

hideKey()
followLang()
followTheme()
createApp(App).use(i18n).use(router).mount('#app')
