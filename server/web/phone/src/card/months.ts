/** A month, "2026-11", and so many before it, newest first. */
export function monthsBack(from: string, count: number): string[] {
  const [year = 0, month = 0] = from.split('-').map(Number)
  return Array.from({ length: count }, (_, back) => {
    const n = year * 12 + month - 1 - back
    return `${Math.floor(n / 12)}-${String((n % 12) + 1).padStart(2, '0')}`
  })
}
