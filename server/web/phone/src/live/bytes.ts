// The bytes of codes: base45 and the few heads of CBOR that a proof needs. The
// formats are in signing/FORMAT.md.

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:'

/** Base45 (RFC 9285): three characters for two bytes, two for a last one. */
export function base45(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 2) {
    const pair = i + 1 < bytes.length
    const n = pair ? (bytes[i]! << 8) | bytes[i + 1]! : bytes[i]!
    text += alphabet[n % 45]! + alphabet[Math.floor(n / 45) % 45]!
    if (pair) text += alphabet[Math.floor(n / 2025)]!
  }
  return text
}

/** The bytes of a base45 text; throws on any other text. */
export function fromBase45(text: string): Bytes {
  if (text.length % 3 === 1) throw new Error('base45: one character left over')
  const bytes: number[] = []
  for (let i = 0; i < text.length; i += 3) {
    const digits = [...text.slice(i, i + 3)].map((c) => alphabet.indexOf(c))
    if (digits.includes(-1)) throw new Error('base45: a character outside the alphabet')
    const n = digits[0]! + digits[1]! * 45 + (digits[2] ?? 0) * 2025
    if (n > (digits.length === 3 ? 0xffff : 0xff)) throw new Error('base45: a group overflows')
    if (digits.length === 3) bytes.push(n >> 8)
    bytes.push(n & 0xff)
  }
  return new Uint8Array(bytes)
}

/** Bytes that WebCrypto takes. */
export type Bytes = Uint8Array<ArrayBuffer>

export function join(...parts: Uint8Array[]): Bytes {
  const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Base64 as the interface carries bytes. */
export function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
}

export function fromBase64(text: string): Bytes {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0))
}

// CBOR, shortest heads (RFC 8949 section 4.2.1).

function head(major: number, n: number): Uint8Array {
  const first = major << 5
  if (n < 24) return new Uint8Array([first | n])
  if (n <= 0xff) return new Uint8Array([first | 24, n])
  if (n <= 0xffff) return new Uint8Array([first | 25, n >> 8, n & 0xff])
  const wide = new DataView(new ArrayBuffer(9))
  if (n <= 0xffffffff) {
    wide.setUint8(0, first | 26)
    wide.setUint32(1, n)
    return new Uint8Array(wide.buffer, 0, 5)
  }
  wide.setUint8(0, first | 27)
  wide.setUint32(1, Math.floor(n / 2 ** 32))
  wide.setUint32(5, n % 2 ** 32)
  return new Uint8Array(wide.buffer)
}

/** A whole number from 0 to 2^53 - 1. */
export const uint = (n: number): Uint8Array => head(0, n)
export const byteString = (b: Uint8Array): Uint8Array => join(head(2, b.length), b)
export const text = (s: string): Uint8Array => {
  const b = new TextEncoder().encode(s)
  return join(head(3, b.length), b)
}
export const array = (...items: Uint8Array[]): Uint8Array => join(head(4, items.length), ...items)
export const emptyMap: Uint8Array = new Uint8Array([0xa0])
