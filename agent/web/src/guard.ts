// The guard's page, with its looks.

import './style.css'

export { default } from './App.vue'
