// The page on the customer's side of the till, with its looks.

import './customer.css'

export { default } from './Customer.vue'
