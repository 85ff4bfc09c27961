// The service worker: the app opens without a network. It keeps the files of
// one build and nothing else; what the interface answers is never kept here.
//
// A new build waits until no page of the old one is open, or until a person
// says so: an open page goes on loading its own parts from its own cache.

export {}

declare const self: ServiceWorkerGlobalScope & typeof globalThis
declare const __PRECACHE__: { version: string; files: string[] }

// The parts of the worker's world that the compiler's DOM library lacks.
interface Lasting extends Event {
  waitUntil(done: Promise<unknown>): void
}
interface Fetching extends Lasting {
  readonly request: Request
  respondWith(answer: Promise<Response>): void
}
interface ServiceWorkerGlobalScope {
  readonly registration: ServiceWorkerRegistration
  readonly clients: { claim(): Promise<void> }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (e: Lasting) => void): void
  addEventListener(type: 'fetch', listener: (e: Fetching) => void): void
  addEventListener(type: 'message', listener: (e: MessageEvent) => void): void
}

const build = __PRECACHE__
const base = new URL('./', self.location.href)
const prefix = 'campusgate-phone-'
const shelf = prefix + build.version
const patience = 4000 // ms for a navigation; at a gate a slow network is as good as none

self.addEventListener('install', (e) => {
  e.waitUntil(
    caches.open(shelf).then((cache) => cache.addAll(build.files.map((name) => new Request(new URL(name, base).href, { cache: 'no-cache' })))),
  )
})

self.addEventListener('activate', (e) => {
  const old = (name: string) => name.startsWith(prefix) && name !== shelf
  e.waitUntil(
    caches.keys()
      .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('message', (e) => {
  if (e.data === 'take-over') void self.skipWaiting()
})

self.addEventListener('fetch', (e) => {
  const url = new URL(e.request.url)
  if (e.request.method !== 'GET' || url.origin !== base.origin || !url.pathname.startsWith(base.pathname)) return
  if (e.request.mode === 'navigate') e.respondWith(page(e.request))
  else e.respondWith(kept(e.request))
})

/** A page: from the network while it answers, else the first page that is kept. */
async function page(request: Request): Promise<Response> {
  const abort = new AbortController()
  const timer = setTimeout(() => abort.abort(), patience)
  try {
    const answer = await fetch(request, { signal: abort.signal })
    if (answer.status < 500) return answer
  } catch {
    // No network, or too slow.
  } finally {
    clearTimeout(timer)
  }
  return (await caches.match(base.href, { cacheName: shelf })) ?? Response.error()
}

/** A file: as kept, else from the network, for a page of another build. */
async function kept(request: Request): Promise<Response> {
  return (await caches.match(request, { cacheName: shelf, ignoreSearch: true, ignoreVary: true })) ?? fetch(request)
}
