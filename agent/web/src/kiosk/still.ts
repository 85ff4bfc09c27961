// Keeps a public screen as it is: no menus, no zoom, no selection, no dragging.

export function stillness(): void {
  for (const event of ['contextmenu', 'dragstart', 'selectstart', 'gesturestart'] as const) {
    window.addEventListener(event, (e) => e.preventDefault())
  }
  window.addEventListener('wheel', (e) => e.preventDefault(), { passive: false })
  window.addEventListener('touchmove', (e) => e.preventDefault(), { passive: false })
  window.addEventListener('keydown', (e) => {
    if ((e.ctrlKey || e.metaKey) && ['+', '-', '=', '0', 'p', 's', 'f', 'o', 'u'].includes(e.key)) e.preventDefault()
  })
}
