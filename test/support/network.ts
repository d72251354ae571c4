import type { BrowserContext } from 'playwright-core'

const cookie = 'network=off'

/** Before any page of the context: older Chromium (143) believes after a reload that it is online again. */
export async function rememberOffline(context: BrowserContext): Promise<void> {
  await context.addInitScript((mark) => {
    const believed = Object.getOwnPropertyDescriptor(Navigator.prototype, 'onLine')
    Object.defineProperty(Navigator.prototype, 'onLine', {
      configurable: true,
      get(): boolean {
        return !document.cookie.includes(mark) && believed?.get?.call(this) === true
      },
    })
  }, cookie)
}

/** Takes the network away from all pages of a context, or gives it back; also across reloads. */
export async function setOffline(context: BrowserContext, isOffline: boolean): Promise<void> {
  const text = isOffline ? `${cookie}; path=/` : `${cookie}; path=/; max-age=0`
  // A page that has not gone anywhere yet has no cookies.
  const pages = context.pages().filter((page) => page.url().startsWith('http'))
  for (const page of pages) await page.evaluate((mark) => void (document.cookie = mark), text)
  await context.setOffline(isOffline)
  if (isOffline) return
  for (const page of pages) await page.evaluate(() => void window.dispatchEvent(new Event('online')))
}
