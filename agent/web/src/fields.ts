// What the listeners for keys do to fields in which a scan began before anybody
// could know that it was one.

export type Field = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement

/** Inputs that hold no text to put back. */
const choosing = ['radio', 'checkbox']

/** A field as it was before a key. */
export interface Before {
  field: Field
  value: string
  start: number | null
  end: number | null
}

export function fieldOf(target: EventTarget | null): Field | null {
  if (target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return target
  return null
}

const isText = (f: Field): f is HTMLInputElement | HTMLTextAreaElement =>
  !(f instanceof HTMLSelectElement) && !choosing.includes(f.type)

export function remember(field: Field): Before {
  const text = isText(field)
  return { field, value: field.value, start: text ? field.selectionStart : null, end: text ? field.selectionEnd : null }
}

export function putBack(b: Before): void {
  if (b.field.value === b.value || choosing.includes(b.field.type)) return
  b.field.value = b.value
  if (isText(b.field) && b.start !== null) b.field.setSelectionRange(b.start, b.end)
  b.field.dispatchEvent(new Event(isText(b.field) ? 'input' : 'change', { bubbles: true }))
}

/** Types where the cursor is, as keys would. */
export function type(field: Field, text: string): void {
  if (!isText(field)) return
  field.setRangeText(text, field.selectionStart ?? field.value.length, field.selectionEnd ?? field.value.length, 'end')
  field.dispatchEvent(new Event('input', { bubbles: true }))
}
