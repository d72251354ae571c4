import { beforeEach, expect, test } from 'vitest'
import type { DemoApp } from '../support/demoApp.ts'
import { demoDevices } from '../support/demoDevices.ts'
import { server } from '../support/realServer.ts'

const openDevice = demoDevices()
let a: DemoApp
let b: DemoApp

/** Two browsers; the cards of other tests stay on the board, so each test has one of its own. */
beforeEach(async () => {
  a = await openDevice(`${server.url}/#/board`)
  b = await openDevice(`${server.url}/#/board`)
})

/** Puts a card on the board; gives a field of it, on either device. */
async function cardOn(title: string): Promise<(demo: DemoApp, field?: string) => ReturnType<DemoApp['by']>> {
  await a.by('new-card').fill(title)
  await a.by('new-card').press('Enter')
  const id = await a.page.waitForFunction((wanted) => {
    const fields = [...document.querySelectorAll<HTMLTextAreaElement>('[data-testid="card-title"]')]
    return fields.find(({ value }) => value === wanted)?.closest<HTMLElement>('[data-id]')?.dataset['id']
  }, title)
  const selector = `[data-id="${await id.jsonValue()}"]`
  return (demo, field = 'card-text') => demo.page.locator(selector).getByTestId(field)
}

test('two write into one text at once, and the caret stays where it is', async () => {
  const text = await cardOn('Paint the shed')
  await text(a).fill('Two coats of red')
  await expect.poll(() => text(b).inputValue()).toBe('Two coats of red')

  await text(b).focus()
  await b.page.keyboard.press('Control+End')
  await text(a).focus()
  await a.page.keyboard.press('Control+Home')
  await Promise.all([
    a.page.keyboard.type('Sand it first. ', { delay: 30 }),
    b.page.keyboard.type(' before June', { delay: 40 }),
  ])
  const both = 'Sand it first. Two coats of red before June'
  await expect.poll(async () => [await text(a).inputValue(), await text(b).inputValue()]).toEqual([both, both])
  expect([...a.complaints, ...b.complaints]).toEqual([])
})

test('texts that were edited offline on both sides are merged, and moved cards stay moved', async () => {
  const text = await cardOn('Harvest')
  await text(a).fill('Apples and pears')
  await expect.poll(() => text(b).inputValue()).toBe('Apples and pears')
  await text(b, 'badge').and(b.page.locator('[data-status="synced"]')).waitFor()

  await a.turn('offline', 'on')
  await b.turn('offline', 'on')
  await text(a).fill('Ripe apples and pears')
  await text(a, 'card-right').click()
  await text(b).fill('Apples and pears, in baskets')
  await b.turn('offline', 'off')
  await b.saved()
  await a.turn('offline', 'off')
  await a.saved()

  const both = 'Ripe apples and pears, in baskets'
  for (const demo of [a, b]) {
    await expect.poll(() => text(demo).inputValue()).toBe(both)
    await demo
      .by('column-doing')
      .filter({ has: demo.page.locator(`textarea[data-testid="card-text"]`) })
      .waitFor()
  }
  expect([...a.complaints, ...b.complaints]).toEqual([])
})
