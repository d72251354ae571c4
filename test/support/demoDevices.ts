import type { Browser, BrowserContext, BrowserContextOptions } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { launchChromium } from './chromium.ts'
import { type DemoApp, openDemo } from './demoApp.ts'
import { server } from './realServer.ts'

/**
 * For the tests of a file: one Chromium, in which each device is a context of its own. Each test begins with an empty
 * server, and its devices end with it.
 */
export function demoDevices(): (url?: string, options?: BrowserContextOptions) => Promise<DemoApp> {
  let browser: Browser
  const contexts: BrowserContext[] = []

  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser.close())
  beforeEach(() => server.reset())
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close()
  })

  return async (url = server.url, options = {}) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    contexts.push(context)
    return openDemo(context, url)
  }
}
