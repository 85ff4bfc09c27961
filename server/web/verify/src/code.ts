// Where the code of the page comes from, and where it does not stay.

const kept = 'cg-verify'

/**
 * The code that this page was opened with. It leaves the address bar at once,
 * so that it is in no history and no screenshot of one, and is kept for this
 * tab only: a guard who signs in first comes back to it.
 */
export function takeCode(place: Location, history: History, store: Storage): string {
  const code = place.pathname.replace(/^\/V\/?/, '')
  if (code) {
    store.setItem(kept, code)
    history.replaceState(null, '', '/V/')
    return code
  }
  return store.getItem(kept) ?? ''
}
