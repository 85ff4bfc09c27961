// The feed: one websocket that comes back by itself. The agent speaks at least
// once a second, so silence means that it is gone even where the socket still
// looks open.

const SILENCE_MS = 5_000
const FIRST_RETRY_MS = 300
const LAST_RETRY_MS = 5_000

/** Hears what the agent says at a feed; T is what a page makes of it. */
export function follow<T>(hear: (m: T) => void, lost: () => void, feed: () => string = () => '/feed'): void {
  let retry = FIRST_RETRY_MS
  const open = (): void => {
    const socket = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/v1${feed()}`)
    let over = false
    let silence = 0
    const end = (): void => {
      if (over) return
      over = true
      clearTimeout(silence)
      socket.close()
      lost()
      // Jitter, so that several pages do not come back in step.
      setTimeout(open, retry * (0.5 + Math.random()))
      retry = Math.min(retry * 2, LAST_RETRY_MS)
    }
    const listen = (): void => {
      clearTimeout(silence)
      silence = window.setTimeout(end, SILENCE_MS)
    }
    socket.onmessage = (event: MessageEvent<string>) => {
      if (over) return
      retry = FIRST_RETRY_MS
      listen()
      hear(JSON.parse(event.data) as T)
    }
    socket.onclose = end
    socket.onerror = end
    listen()
  }
  open()
}
