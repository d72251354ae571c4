import { expect, test } from 'vitest'
import { type DemoApp, loaded } from '../support/demoApp.ts'
import { demoDevices } from '../support/demoDevices.ts'
import { server } from '../support/realServer.ts'

const openDevice = demoDevices()

const stored = async () => Object.values(await server.rows('notes'))

/** Two devices that both have a note of that title; the first one is offline. */
async function apart(title: string, body: string): Promise<[DemoApp, DemoApp]> {
  const mine = await openDevice()
  await mine.write(title, body)
  await mine.saved()
  const theirs = await openDevice()
  await theirs.noteIs(title, 'synced')
  await mine.turn('offline', 'on')
  return [mine, theirs]
}

test('a conflict is asked, the page reloaded, and the answer reaches every device', async () => {
  const [mine, theirs] = await apart('Seeds to order', 'Beans and peas')
  await mine.change('Seeds to order', { title: 'Seeds to order soon', body: 'Beans and pumpkins' })
  await mine.write('Neighbour')
  await theirs.change('Seeds to order', { title: 'Seeds to order in January', body: 'Beans, peas, corn' })
  await theirs.saved()

  await mine.turn('offline', 'off')
  await mine.noteIs('Seeds to order soon', 'conflict')
  await mine.noteIs('Neighbour', 'synced')
  await mine.counts('parked', 1)
  await mine.page.reload()
  await loaded(mine.page)
  await mine.by('panel-tab-conflicts').click()
  await mine.by('conflict-row').getByRole('link').click()
  const field = mine.by('conflict-title')
  expect(await field.locator('.text').allTextContents()).toEqual([
    'Seeds to order',
    'Seeds to order soon',
    'Seeds to order in January',
  ])
  await mine.by('choose-title-remote').check()
  await mine.by('result-body').fill('Beans, peas, corn, pumpkins')
  await mine.by('keep-result').click()

  await mine.noteIs('Seeds to order in January', 'synced')
  await mine.saved()
  await expect
    .poll(stored)
    .toContainEqual(
      expect.objectContaining({ title: 'Seeds to order in January', body: 'Beans, peas, corn, pumpkins' }),
    )
  await theirs.edit('Seeds to order in January')
  await expect.poll(() => theirs.by('note-body').inputValue()).toBe('Beans, peas, corn, pumpkins')
  expect([...mine.complaints, ...theirs.complaints]).toEqual([])
})

test('a note that was deleted here and changed elsewhere is kept when somebody says so', async () => {
  const [mine, theirs] = await apart('Ferry times', 'At 7:40')
  await mine.remove('Ferry times')
  await theirs.change('Ferry times', { body: 'At 8:10 from May on' })
  await theirs.saved()

  await mine.turn('offline', 'off')
  await mine.counts('parked', 1)
  await mine.by('panel-tab-conflicts').click()
  await mine.by('conflict-row').getByRole('link').click()
  await mine.by('keep-note').click()
  await mine.noteIs('Ferry times', 'synced')
  await mine.saved()
  expect(await stored()).toMatchObject([{ title: 'Ferry times', body: 'At 8:10 from May on' }])
  expect(mine.complaints).toEqual([])
})

test('a conflict is decided on a phone, with the keyboard alone', async () => {
  const [mine, theirs] = await apart('Bread', 'Less water')
  await mine.change('Bread', { title: 'Bread, mine' })
  await theirs.change('Bread', { title: 'Bread, theirs', body: 'Less water, longer rest' })
  await theirs.saved()
  await mine.page.setViewportSize({ width: 390, height: 844 })
  await mine.turn('offline', 'off')

  const { keyboard } = mine.page
  await mine.by('choose-title-local').focus()
  expect(await mine.page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(
    0,
  )
  await keyboard.press('ArrowDown')
  expect(await mine.by('result-title').inputValue()).toBe('Bread, theirs')
  await keyboard.press('ArrowUp')
  expect(await mine.by('result-title').inputValue()).toBe('Bread, mine')
  await mine.by('keep-result').focus()
  await keyboard.press('Enter')
  await mine.saved()
  expect(await stored()).toMatchObject([{ title: 'Bread, mine', body: 'Less water, longer rest' }])
  expect(mine.complaints).toEqual([])
})
