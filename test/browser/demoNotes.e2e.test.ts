import { expect, test } from 'vitest'
import { loaded } from '../support/demoApp.ts'
import { demoDevices } from '../support/demoDevices.ts'
import { server } from '../support/realServer.ts'
import { historyOf } from './writeStory.ts'

const openDevice = demoDevices()

async function titlesOnServer(): Promise<unknown[]> {
  return Object.values(await server.rows('notes'))
    .map(({ title }) => title)
    .toSorted()
}

test('a note is made, edited and deleted with the mouse, and its badge says how far it is', async () => {
  const demo = await openDevice()
  await server.setFaults({ latencyMs: 800 })

  await demo.write('Seeds to order', 'Beans')
  await demo.noteIs('Seeds to order', 'syncing')
  await demo.noteIs('Seeds to order', 'synced')
  expect(Object.values(await server.rows('notes'))).toMatchObject([{ title: 'Seeds to order', body: 'Beans' }])

  await demo.by('note-body').fill('Beans and peas')
  await demo.by('save').click()
  await demo.noteIs('Seeds to order', 'syncing')
  await demo.noteIs('Seeds to order', 'synced')
  expect(Object.values(await server.rows('notes'))).toMatchObject([{ title: 'Seeds to order', body: 'Beans and peas' }])

  await demo.remove('Seeds to order')
  await expect.poll(() => server.rows('notes')).toEqual({})
  await demo.saved()
  expect(Object.values(historyOf(await server.applied()))).toEqual([['create 1', 'update 2', 'delete 3']])
  expect(demo.complaints).toEqual([])
  expect(demo.failedLoads).toEqual([])
})

test('everything goes with the keyboard alone', async () => {
  const demo = await openDevice()
  const { keyboard } = demo.page

  for (const title of ['Call the plumber', 'Names for the boat']) {
    await keyboard.press('n')
    await keyboard.type(title)
    await keyboard.press('Enter')
    await keyboard.type('By hand')
    await keyboard.press('Control+s')
    await demo.noteIs(title, 'synced')
    await keyboard.press('Escape')
  }

  await keyboard.press('/')
  await keyboard.type('plumber')
  await expect.poll(demo.titles).toEqual(['Call the plumber'])
  await keyboard.press('ArrowDown')
  await keyboard.press('Enter')
  await demo.by('note-body').focus()
  await keyboard.press('Control+End')
  await keyboard.type(', before noon')
  await keyboard.press('Control+Enter')
  await expect
    .poll(async () => Object.values(await server.rows('notes')).map(({ body }) => body))
    .toContain('By hand, before noon')

  await demo.by('delete').focus()
  await keyboard.press('Enter')
  await keyboard.press('Escape')
  await expect.poll(demo.titles).toEqual(['Names for the boat'])
  await expect.poll(titlesOnServer).toEqual(['Names for the boat'])
  expect(demo.complaints).toEqual([])
})

test('notes are found by tag, and a tag reaches the server before its note', async () => {
  const demo = await openDevice()
  await demo.turn('offline', 'on')
  await demo.write('Bread: less water')
  await demo.by('new-note').click()
  await demo.by('note-title').fill('Ferry times')
  await demo.by('tag-input').fill('travel')
  await demo.by('tag-input').press('Enter')
  await demo.by('save').click()
  await demo.page.locator('[data-testid="tag-filter-item"][data-tag="travel"]').click()
  expect(await demo.titles()).toEqual(['Ferry times'])

  await demo.turn('offline', 'off')
  await demo.saved()
  const [tag] = Object.values(await server.rows('tags'))
  expect(tag).toMatchObject({ name: 'travel' })
  const ferry = Object.values(await server.rows('notes')).find(({ title }) => title === 'Ferry times')
  expect(ferry).toMatchObject({ tagIds: [tag?.['id']] })
  const order = (await server.applied()).map(({ entityId }) => entityId)
  expect(order.indexOf(String(tag?.['id']))).toBeLessThan(order.indexOf(String(ferry?.['id'])))
  expect(demo.complaints).toEqual([])
})

test('what was written offline is there after a reload, and goes when the network is back', async () => {
  const demo = await openDevice()
  await demo.write('Kept', 'before')
  await demo.write('Given up')
  await demo.saved()
  const before = (await server.applied()).length

  await demo.turn('offline', 'on')
  demo.sent.length = 0
  await demo.edit('Kept')
  await demo.by('note-body').fill('after')
  await demo.by('save').click()
  await demo.remove('Given up')
  await demo.write('New')
  await demo.write('Gone at once')
  await demo.remove('Gone at once')
  await demo.noteIs('Kept', 'pending')
  await demo.noteIs('New', 'pending')

  await demo.page.reload()
  await loaded(demo.page)
  expect((await demo.titles()).toSorted()).toEqual(['Kept', 'New'])
  await demo.noteIs('New', 'pending')
  await demo.counts('waiting', 3)
  expect(demo.sent).toEqual([])

  await demo.turn('offline', 'off')
  await demo.saved()
  await demo.noteIs('Kept', 'synced')
  await demo.noteIs('New', 'synced')
  expect(await titlesOnServer()).toEqual(['Kept', 'New'])
  const applied = (await server.applied()).slice(before)
  expect(applied.map(({ operation }) => operation).toSorted()).toEqual(['create', 'delete', 'update'])
  expect(demo.complaints).toEqual([])
  expect(demo.failedLoads).toEqual([])
})

test('it fits a phone', async () => {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
  const demo = await openDevice(server.url, phone)
  const tap = (testId: string) => demo.by(testId).tap()
  const overflow = () => demo.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)

  await tap('new-note')
  await demo.by('note-title').fill('From the phone')
  expect(await overflow()).toBeLessThanOrEqual(0)
  await tap('save')
  await tap('back')
  await demo.noteIs('From the phone', 'synced')
  expect(await overflow()).toBeLessThanOrEqual(0)

  await tap('tab-outbox')
  expect(await overflow()).toBeLessThanOrEqual(0)
  await tap('offline')
  await tap('tab-notes')
  await demo.note('From the phone').getByRole('link').tap()
  await demo.by('note-title').fill('Edited on the phone')
  await tap('save')
  await tap('back')
  await demo.noteIs('Edited on the phone', 'pending')
  await tap('tab-outbox')
  await demo.counts('waiting', 1)
  await tap('offline')
  await demo.counts('waiting', 0)
  await tap('tab-notes')
  await demo.noteIs('Edited on the phone', 'synced')
  expect(await titlesOnServer()).toEqual(['Edited on the phone'])
  expect(demo.complaints).toEqual([])
})
