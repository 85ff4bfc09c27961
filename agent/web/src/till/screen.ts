// How much fits: rows of a list and keys of a menu are counted, so that nothing
// has to be scrolled at a till.

import { computed, ref } from 'vue'

const width = ref(window.innerWidth)
const height = ref(window.innerHeight)
window.addEventListener('resize', () => {
  width.value = window.innerWidth
  height.value = window.innerHeight
})

/** Rows of a list on the stage. */
export const listRows = computed(() => (height.value < 600 ? 5 : 8))

/** Columns and rows of menu keys on the stage. */
export const menuGrid = computed<{ columns: number; rows: number }>(() => {
  const columns = width.value < 900 ? 2 : width.value < 1200 ? 3 : 4
  return { columns, rows: height.value < 600 ? 3 : height.value < 900 ? 4 : 5 }
})

/** Positions of a sale that are listed. */
export const itemRows = computed(() => (height.value < 600 ? 3 : height.value < 900 ? 5 : 7))
