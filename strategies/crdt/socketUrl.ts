/** A relative address is one of the page's server. */
export function socketUrl(url: string): string {
  const page = 'location' in globalThis ? globalThis.location.href : undefined
  const absolute = new URL(url, page)
  absolute.protocol = absolute.protocol.replace('http', 'ws')
  return absolute.href
}
