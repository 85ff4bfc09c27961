import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import type { Plugin } from 'vite'

/** What stands in sw.ts for the list. */
const mark = '__PRECACHE__'

/**
 * Writes into the service worker which files make up this build, and a version
 * that changes when any of them does.
 */
export function precache(publicDir: string): Plugin {
  return {
    name: 'precache',
    apply: 'build',
    generateBundle: {
      order: 'post', // when index.html is there too
      handler(_, bundle) {
        const files: Record<string, string | Uint8Array> = {}
        for (const [name, made] of Object.entries(bundle)) files[name] = made.type === 'chunk' ? made.code : made.source
        for (const name of readdirSync(publicDir)) files[name] = readFileSync(`${publicDir}/${name}`)
        const worker = bundle['sw.js']
        if (worker?.type !== 'chunk') this.error('sw.js is not a part of the build')
        else if (!worker.code.includes(mark)) this.error(`sw.js has no ${mark}`)
        else worker.code = worker.code.replace(mark, JSON.stringify(listOf(files)))
      },
    },
  }
}

/** The list: names below the app's path, index.html as "", without the worker itself. */
export function listOf(files: Readonly<Record<string, string | Uint8Array>>): { version: string; files: string[] } {
  const names = Object.keys(files).filter((name) => !/(^|\/)(\.gitkeep|sw\.js)$|\.map$/.test(name)).sort()
  const hash = createHash('sha256')
  for (const name of names) hash.update(name + '\0').update(files[name] ?? '').update('\0')
  return { version: hash.digest('hex').slice(0, 12), files: names.map((name) => (name === 'index.html' ? '' : name)) }
}
