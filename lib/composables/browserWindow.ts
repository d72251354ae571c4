/** The page's window; `undefined` on a server, where nothing may be opened or subscribed. */
export function browserWindow(): Window | undefined {
  return typeof document === 'undefined' ? undefined : (document.defaultView ?? undefined)
}

/** The one test for server-side rendering. */
export function onServer(): boolean {
  return browserWindow() === undefined
}
