// The one-page helps, with their looks.

import './help.css'

export { default } from './Help.vue'
