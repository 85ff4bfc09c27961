import type { Plugin } from 'vite'
import { drawings } from './drawings.ts'

/**
 * Vant's icons are a font of 25 KB that its style sheet would also fetch from
 * another host. This puts our own drawings in its place, as masks: every
 * <van-icon name="…">, Vant's own ones too, takes them and the colour of its text.
 */
export function icons(): Plugin {
  return {
    name: 'icons',
    enforce: 'pre',
    load(id) {
      return /[\\/]vant[\\/]es[\\/]icon[\\/]index\.css$/.test(id) ? iconStyle() : undefined
    },
  }
}

/** The whole style sheet of icons. */
export function iconStyle(): string {
  const shape = `.van-icon{position:relative;display:inline-block;line-height:1;font-size:inherit;vertical-align:middle}
.van-icon::before{content:"";display:block;width:1em;height:1em;background:currentColor;-webkit-mask:var(--drawing,linear-gradient(#0000,#0000)) center/contain no-repeat;mask:var(--drawing,linear-gradient(#0000,#0000)) center/contain no-repeat}
.van-icon__image{display:block;width:1em;height:1em;object-fit:contain}\n`
  return shape + Object.entries(drawings).map(([name, d]) => `.van-icon-${name}{--drawing:url("${dataURL(d)}")}`).join('\n')
}

/** A drawing is the d of one path, 24 by 24; "!" before it says: filled, not drawn with a line. */
function dataURL(drawing: string): string {
  const filled = drawing.startsWith('!')
  const look = filled ? '' : "fill='none' stroke='%23000' stroke-width='1.8' stroke-linecap='round' stroke-linejoin='round' "
  return `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Cpath ${look}d='${drawing.slice(filled ? 1 : 0)}'/%3E%3C/svg%3E`
}
