import type { BrowserContext, Frame, Locator, Page } from 'playwright-core'
import { openTab, type Tab } from './tab.ts'

/** A tab with the demo in it. */
export interface DemoApp extends Tab, DemoScreen {}

/** The demo as its user sees it: by the test ids that its README lists. */
export interface DemoScreen {
  by: (testId: string) => Locator
  /** The note of that title in the list. */
  note: (title: string) => Locator
  /** Resolves when the note of that title has come to that status. */
  noteIs: (title: string, status: 'pending' | 'syncing' | 'synced' | 'error' | 'conflict') => Promise<void>
  titles: () => Promise<string[]>
  /** With the mouse; the note stays open. */
  write: (title: string, body?: string) => Promise<void>
  /** With the mouse; resolves when it is in the editor. */
  edit: (title: string) => Promise<void>
  /** With the mouse; resolves when it is in the list under its new title. */
  change: (title: string, to: { title?: string; body?: string; tag?: string }) => Promise<void>
  /** With the mouse, in the list and in the editor. */
  remove: (title: string) => Promise<void>
  turn: (id: string, to: 'on' | 'off') => Promise<void>
  /** Resolves when the panel counts that many. */
  counts: (name: 'pending' | 'processing' | 'waiting' | 'parked' | 'dead', n: number) => Promise<void>
  /** Resolves when that is what is said about all changes. */
  says: (summary: string) => Promise<void>
  /** Resolves when all that was written is on the server. */
  saved: () => Promise<void>
}

export async function openDemo(context: BrowserContext, url: string): Promise<DemoApp> {
  const tab = await openTab(context, url)
  await loaded(tab.page)
  return { ...tab, ...demoScreen(tab.page) }
}

/** Resolves when the notes kept on this device are shown. */
export async function loaded(page: Page | Frame): Promise<void> {
  await page.locator('[data-testid="app"][data-loaded="true"]').waitFor()
}

/** The demo in a page, or in a frame of one. */
export function demoScreen(page: Page | Frame): DemoScreen {
  const by = (testId: string) => page.getByTestId(testId)
  const item = (title: string) => by('note-item').filter({ has: page.getByText(title, { exact: true }) })

  const says = (summary: string) => by('sync-summary').and(page.getByText(summary)).waitFor()

  async function edit(title: string): Promise<void> {
    await item(title).getByRole('link').click()
    // Until it is there, the editor still holds the note before it.
    await page.waitForFunction(
      (shown) => document.querySelector<HTMLInputElement>('[data-testid="note-title"]')?.value === shown,
      title,
    )
  }

  return {
    by,
    note: item,
    noteIs: (title, status) =>
      item(title)
        .and(page.locator(`[data-status="${status}"]`))
        .waitFor(),
    titles: () => by('note-item-title').allTextContents(),
    async write(title, body = '') {
      await by('new-note').click()
      await by('note-title').fill(title)
      await by('note-body').fill(body)
      await by('save').click()
      await item(title).waitFor()
    },
    edit,
    async change(title, to) {
      await edit(title)
      if (to.title !== undefined) await by('note-title').fill(to.title)
      if (to.body !== undefined) await by('note-body').fill(to.body)
      if (to.tag !== undefined) {
        await by('tag-input').fill(to.tag)
        await by('tag-input').press('Enter')
      }
      await by('save').click()
      await item(to.title ?? title).waitFor()
    },
    async remove(title) {
      await edit(title)
      await by('delete').click()
      await item(title).waitFor({ state: 'detached' })
    },
    async turn(id, to) {
      const now = by(id)
      if ((await now.getAttribute('aria-checked')) !== String(to === 'on')) await now.click()
      await page.locator(`[data-testid="${id}"][aria-checked="${to === 'on'}"]`).waitFor()
    },
    counts: (name, n) =>
      by(`count-${name}`)
        .and(page.getByText(String(n), { exact: true }))
        .waitFor(),
    says,
    saved: () => says('All changes saved'),
  }
}
