// The page of a gate where nobody stands, with its looks.

import './kiosk.css'

export { default } from './Kiosk.vue'
