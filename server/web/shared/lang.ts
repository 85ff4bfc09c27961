// The language of the pages: Chinese first, English second. The choice is
// remembered on the device and told to the document, for screen readers, fonts
// and hyphenation.

import { ref, watch, type Ref } from 'vue'

export type Lang = 'zh' | 'en'

const stored = 'cg-lang'

/** The language now. Write it only with setLang. */
export const lang: Ref<Lang> = ref(remembered())

function remembered(): Lang {
  try {
    return localStorage.getItem(stored) === 'en' ? 'en' : 'zh'
  } catch {
    return 'zh' // a browser that keeps nothing
  }
}

/** Switches the language without a reload. */
export function setLang(to: Lang): void {
  lang.value = to
  try {
    localStorage.setItem(stored, to)
  } catch {
    // It lasts until the page is closed.
  }
}

/** Keeps <html lang> in step. Call it once, before the app is mounted. */
export function followLang(): void {
  watch(lang, (now) => (document.documentElement.lang = now === 'zh' ? 'zh-CN' : 'en'), { immediate: true })
}

/** One of two wordings; the Chinese one where there is no English. */
export function pick(zh: string, en?: string): string {
  return lang.value === 'en' && en ? en : zh
}

/**
 * The server words its messages in Chinese, a space, and English. This gives the
 * part of the language shown, or all of it where it cannot be told apart.
 */
export function half(message: string): string {
  const cut = /^(.*[\u3000-\u9fff\uff00-\uffef][^\s]*)\s+([\x20-\x7e\u2018-\u201d]*[A-Za-z][\x20-\x7e\u2018-\u201d]*)$/s.exec(message.trim())
  if (!cut) return message
  return (lang.value === 'zh' ? cut[1] : cut[2]) ?? message
}
