// The cashier's page, with its looks.

import './till.css'

export { default } from './Cashier.vue'
