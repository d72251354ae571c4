const asked = new URLSearchParams(location.search)

/** Which device this page plays. `?device=b` is another one: with an outbox and copies of its own. */
export const device = /^[a-z]$/.exec(asked.get('device') ?? '')?.[0] ?? 'a'

/** `?p2p`: without any server; devices of one browser find each other by themselves, others by the relay. */
export const isServerless = asked.has('p2p')

/** The name of what is kept on this device, in this mode. */
export function keptAs(name: string): string {
  return [name, ...(isServerless ? ['p2p'] : []), ...(device === 'a' ? [] : [device])].join('-')
}

/** The address of another device in the same mode. */
export function addressOf(other: string): string {
  return `?${isServerless ? 'p2p&' : ''}device=${other}`
}
