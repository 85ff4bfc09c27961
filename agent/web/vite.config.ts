import vue from '@vitejs/plugin-vue'
import { defineConfig, type Plugin } from 'vite'

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

export default defineConfig({
  plugins: [vue(), placeholder()],
  // Parts of Vue that this page has no use for.
  define: { __VUE_OPTIONS_API__: false, __VUE_PROD_DEVTOOLS__: false, __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: false },
  build: {
    target: ['chrome87', 'safari14'],
    // Everything stays a file of its own: the page's policy allows no inline script.
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
  },
  server: {
    // For work on the page: `npx vite agent/web` beside a running agent.
    proxy: { '/api': { target: 'http://127.0.0.1:8471', ws: true } },
  },
})
