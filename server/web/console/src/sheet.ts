// A list as a CSV file that spreadsheets open as it is.

/** One cell. A text that a spreadsheet would run as a formula is marked as text. */
export function cell(text: string): string {
  const safe = /^[=+\-@\t\r\n]/.test(text) ? "'" + text : text
  return /[",\r\n]/.test(safe) || safe !== safe.trim() ? '"' + safe.replaceAll('"', '""') + '"' : safe
}

/** Lines of cells as CSV. The mark at its beginning tells spreadsheets that it is UTF-8. */
export function csv(lines: readonly (readonly string[])[]): string {
  return '\ufeff' + lines.map((line) => line.map(cell).join(',') + '\r\n').join('')
}

/** Hands a text to the person as a file. */
export function save(name: string, text: string, type = 'text/csv;charset=utf-8'): void {
  const address = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = address
  link.download = name
  link.click()
  URL.revokeObjectURL(address)
}
