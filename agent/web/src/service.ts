// The guard's page at a kiosk, behind a login.

import './style.css'

export { default } from './Service.vue'
