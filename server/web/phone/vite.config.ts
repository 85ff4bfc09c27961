import { VantResolver } from '@vant/auto-import-resolver'
import components from 'unplugin-vue-components/vite'
import { app } from '../vite.base.ts'
import { icons } from './build/icons.ts'
import { precache } from './build/precache.ts'

const here = (path: string) => new URL(path, import.meta.url).pathname

export default app('phone', '/m/', {
  plugins: [
    // Vant's components and their styles, each where it is used.
    components({ resolvers: [VantResolver()], dirs: [], dts: here('./src/components.d.ts') }),
    icons(),
    precache(here('./public')),
  ],
  define: { __INTLIFY_DROP_MESSAGE_COMPILER__: true }, // i18n.ts makes functions of its words
  build: {
    rolldownOptions: {
      input: { index: here('./index.html'), sw: here('./src/sw.ts') },
      output: {
        // A service worker's address must not change, and it serves only what is below it.
        // What changes only with its version is a file of its own, which phones keep.
        codeSplitting: {
          groups: [
            { name: 'vue', test: /node_modules\/(@?vue|@intlify)/, priority: 2 },
            { name: 'common', minShareCount: 4, priority: 1 }, // fewer, larger files
          ],
        },
        entryFileNames: (chunk) => (chunk.name === 'sw' ? 'sw.js' : 'assets/[name]-[hash].js'),
      },
    },
  },
})
