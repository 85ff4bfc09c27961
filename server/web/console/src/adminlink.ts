// The key of the link that makes the first administrator. It must not stay in
// the address bar, in the history or in anything that is kept.

let key = ''

/** Takes the key out of the address before anything else reads it. */
export function hideKey(): void {
  const address = new URL(location.href)
  key = address.searchParams.get('key') ?? ''
  if (!address.searchParams.has('key')) return
  address.searchParams.delete('key')
  history.replaceState(history.state, '', address)
}

/** The key of this visit, and that it is done with. */
export const takeKey = {
  waiting: (): boolean => key !== '',
  now: (): string => key,
  done: (): void => void (key = ''),
}
