import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'

/**
 * From now on the files of an app come from the disk, as they would from a service worker: so a page can be opened again
 * without a network. Its API stays where it is.
 */
export async function serveFromDisk(context: BrowserContext, url: string, folder: string): Promise<void> {
  await context.route(
    ({ origin, pathname }) => origin === new URL(url).origin && !pathname.startsWith('/api/'),
    (route) => {
      const { pathname } = new URL(route.request().url())
      return route.fulfill({ path: join(folder, pathname === '/' ? 'index.html' : pathname) })
    },
  )
}
