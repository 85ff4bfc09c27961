/** Details of an entry as one line: "name: 东门 · zone: 2". */
export function detail(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (Array.isArray(value)) return value.map(detail).join(', ')
  if (typeof value === 'object') return Object.entries(value).map(([name, one]) => `${name}: ${detail(one)}`).join(' · ')
  return String(value)
}
