import { createApp } from 'vue'
import { followLang } from '@shared/lang'
import App from './App.vue'
import './style.css'

followLang()
createApp(App).mount('#app')
