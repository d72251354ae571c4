import { expect, test } from 'vitest'
import type { DemoApp } from '../support/demoApp.ts'
import { demoDevices } from '../support/demoDevices.ts'
import { server } from '../support/realServer.ts'
import { historyOf } from './writeStory.ts'

const openDevice = demoDevices()

/** Writes a note and gives it no chance, until it is a dead letter. */
async function untilDead(demo: DemoApp, title: string): Promise<void> {
  await demo.turn('fault-errors', 'on')
  await demo.by('fault-errors-value').selectOption('1')
  await expect.poll(server.faults).toMatchObject({ errorRate: 1 })
  await demo.write(title)
  // As somebody who has no patience: again and again, whenever there is something to hurry.
  await expect
    .poll(async () => {
      await demo.by('flush').dispatchEvent('click')
      return demo.note(title).getAttribute('data-status')
    })
    .toBe('error')
  expect(demo.sent).toHaveLength(6)
  await demo.turn('fault-errors', 'off')
  await demo.by('panel-tab-dead').click()
  await demo.counts('dead', 1)
}

test('a dead letter is sent after all when somebody retries it', async () => {
  const demo = await openDevice()
  await untilDead(demo, 'Questions for the landlord')

  await demo.by('dead-row').getByTestId('retry').click()
  await demo.noteIs('Questions for the landlord', 'synced')
  await demo.counts('dead', 0)
  await demo.saved()
  expect(Object.values(historyOf(await server.applied()))).toEqual([['create 1']])
  expect(demo.complaints).toEqual([])
})

test('a dead letter that is discarded is gone, here and there', async () => {
  const demo = await openDevice()
  await untilDead(demo, 'Draft the invitation')

  await demo.by('dead-row').getByTestId('discard').click()
  await demo.counts('dead', 0)
  await demo.saved()
  await expect.poll(demo.titles).toEqual([])
  expect(await server.applied()).toEqual([])
  expect(demo.complaints).toEqual([])
})

test('signed out, all waits; signing in again sends it, and no attempt is lost', async () => {
  const demo = await openDevice()
  await demo.turn('fault-unauthorized', 'on')
  await demo.write('Thank Ines for the soup')
  await demo.by('sign-in').waitFor()
  await demo.noteIs('Thank Ines for the soup', 'pending')
  await demo.page.locator('[data-testid="queue-row"][data-state="held"][data-attempts="0"]').waitFor()

  await demo.by('sign-in').click()
  await demo.noteIs('Thank Ines for the soup', 'synced')
  await demo.by('sign-in').waitFor({ state: 'detached' })
  expect(Object.values(historyOf(await server.applied()))).toEqual([['create 1']])
  expect(demo.complaints).toEqual([])
})

test('a hundred notes arrive once from a tab that is reloaded while answers are lost', async () => {
  const demo = await openDevice()
  await server.setFaults({ loseAnswers: 0.2, seed: 3 })
  await demo.by('add-100').click()
  await expect.poll(async () => (await server.applied()).length).toBeGreaterThan(20)
  await demo.page.reload()
  await server.setFaults({})
  await expect.poll(async () => Object.keys(await server.rows('notes')).length).toBe(100)
  await demo.saved()
  expect(Object.values(historyOf(await server.applied()))).toEqual(Array.from({ length: 100 }, () => ['create 1']))
  expect(demo.complaints).toEqual([])
})
