import type { NamedService } from '../../shapes'

/** Services of one office, or of one group where the server groups them. */
export interface ServiceGroup {
  name: string
  services: NamedService[]
}

/** The services whose name, office or group holds every word typed, by group in the order in which groups first appear. */
export function grouped(services: readonly NamedService[], typed: string): ServiceGroup[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean)
  const groups = new Map<string, NamedService[]>()
  for (const service of services) {
    const text = `${service.name} ${service.en ?? ''} ${service.office} ${service.group}`.toLowerCase()
    if (!words.every((word) => text.includes(word))) continue
    const name = service.group || service.office || '—'
    groups.set(name, [...(groups.get(name) ?? []), service])
  }
  return [...groups].map(([name, found]) => ({ name, services: found }))
}
