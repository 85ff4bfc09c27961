/** A place of this app that somebody asked to go to after signing in; anything else is the first page. */
export function placeAfter(to: unknown): string {
  return typeof to === 'string' && /^\/(?![/\\])/.test(to) && !/^\/(login|link|password)\b/.test(to) ? to : '/'
}
