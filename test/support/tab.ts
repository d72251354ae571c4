import type { BrowserContext, Page, Request } from 'playwright-core'

/** A write as it left the browser. */
export interface SentWrite {
  key: string | undefined
  owner: string | undefined
  /** Method, path and body: what one key stands for. */
  what: string
}

export interface Tab {
  page: Page
  /** Every write this tab sent, again and again where it did. */
  sent: SentWrite[]
  /** Writes of this tab that got no answer. */
  unanswered: SentWrite[]
  /** What the console calls an error, and errors that nobody caught. */
  complaints: string[]
  /** Requests that failed or were refused: the browser itself says so in the console. */
  failedLoads: string[]
}

/** Opens a page and listens to what it sends and complains of. */
export async function openTab(context: BrowserContext, url: string): Promise<Tab> {
  const page = await context.newPage()
  // Shorter than a test may take, so that a failure names what was waited for.
  page.setDefaultTimeout(20_000)
  const tab: Tab = { page, sent: [], unanswered: [], complaints: [], failedLoads: [] }
  page.on('request', (request) => {
    if (isWrite(request)) tab.sent.push(written(request))
  })
  page.on('requestfailed', (request) => {
    if (isWrite(request)) tab.unanswered.push(written(request))
  })
  page.on('pageerror', (error) => tab.complaints.push(error.stack ?? error.message))
  page.on('console', (message) => {
    if (message.type() !== 'error') return
    const isLoad = message.text().startsWith('Failed to load resource')
    tab[isLoad ? 'failedLoads' : 'complaints'].push(`${message.text()} (${message.location().url})`)
  })
  await page.goto(url)
  return tab
}

/** Resolves as soon as the tab leads, or follows. */
export async function becomes({ page }: Tab, role: 'leader' | 'follower'): Promise<void> {
  await page.evaluate(
    (leads) =>
      new Promise<void>((done) => {
        window.bare.outbox.status$.subscribe(({ phase, leader }) => {
          if (phase === 'running' && leader === leads) done()
        })
      }),
    role === 'leader',
  )
}

function isWrite(request: Request): boolean {
  return request.method() !== 'GET' && /\/api\/[a-z]/.test(request.url())
}

function written(request: Request): SentWrite {
  const { pathname } = new URL(request.url())
  const what = `${request.method()} ${pathname} ${request.postData() ?? ''}`
  const { 'idempotency-key': key, 'x-owner': owner } = request.headers()
  return { key, owner, what }
}
