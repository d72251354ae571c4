import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium, type Page } from 'playwright-core'
import { startBrowser } from './browserProcess.ts'

/** A browser whose pages can be frozen. */
export interface FreezableBrowser {
  context: BrowserContext
  close: () => Promise<void>
}

/** Playwright's own browsers treat every page as if it had the focus, and a page that has it is never frozen. */
export async function launchFreezable(): Promise<FreezableBrowser> {
  const profile = await mkdtemp(join(tmpdir(), 'rx-outbox-tabs-'))
  const browser = await startBrowser(profile, 'about:blank')
  async function close(): Promise<void> {
    await browser.close()
    await rm(profile, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const connection = await chromium.connectOverCDP(await browser.endpoint(), { noDefaults: true })
    const [context] = connection.contexts()
    if (!context) throw new Error('The browser has no profile open.')
    return { context, close }
  } catch (error) {
    await close()
    throw error
  }
}

/** Its timers, locks and files rest; what comes over a channel it still hears. */
export function freeze(page: Page): Promise<void> {
  return turn(page, 'frozen')
}

export function thaw(page: Page): Promise<void> {
  return turn(page, 'active')
}

async function turn(page: Page, state: 'frozen' | 'active'): Promise<void> {
  const session = await page.context().newCDPSession(page)
  await session.send('Page.setWebLifecycleState', { state })
  await session.detach()
}
