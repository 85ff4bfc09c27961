import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin, type UserConfig } from 'vite'

/**
 * Go embeds all of dist, and an empty folder cannot be embedded or committed.
 * Vite empties dist at every build, so each build puts the placeholder back.
 */
function placeholder(): Plugin {
  return {
    name: 'placeholder',
    generateBundle() {
      this.emitFile({ type: 'asset', fileName: '.gitkeep', source: '' })
    },
  }
}

/** What the apps of the server have in common. `extra` is added to it. */
export function app(name: 'phone' | 'console' | 'verify', base: string, extra: UserConfig = {}) {
  const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
  return defineConfig({
    ...extra,
    root: here(`./${name}`),
    base,
    plugins: [vue(), placeholder(), ...(extra.plugins ?? [])],
    resolve: { alias: { '@shared': here('./shared') } },
    define: {
      __VUE_OPTIONS_API__: true, // the component libraries are written with it
      __VUE_PROD_DEVTOOLS__: false,
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false,
      __VUE_I18N_FULL_INSTALL__: false,
      __VUE_I18N_LEGACY_API__: false,
      __INTLIFY_PROD_DEVTOOLS__: false,
      __INTLIFY_DROP_MESSAGE_COMPILER__: false,
      ...extra.define,
    },
    build: {
      outDir: here(`./dist/${name}`),
      emptyOutDir: true,
      target: ['chrome87', 'safari14'],
      // Everything stays a file of its own: the pages' policy allows no inline script.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: true,
      chunkSizeWarningLimit: 1500,
      ...extra.build,
    },
    server: {
      // For work on a page: `npx vite -c server/web/phone/vite.config.ts` beside a running server.
      proxy: { '/api': { target: 'http://127.0.0.1:8443', ws: true } },
    },
  })
}
