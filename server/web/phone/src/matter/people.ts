import { t } from '../i18n'

/** "林晓岚(校长办公室)、周明远": names with their units, three at most. */
export function who(people: readonly { name: string; unit: string }[]): string {
  const named = people.slice(0, 3).map((p) => (p.unit ? `${p.name} (${p.unit})` : p.name))
  return named.join(t('and')) + (people.length > 3 ? ' …' : '')
}
