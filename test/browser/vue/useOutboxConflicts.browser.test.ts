import { memoryStore } from 'rx-outbox'
import { usePersistence, useOutbox } from 'rx-outbox/vue'
import { h } from 'vue'
import { expect, test } from 'vitest'
import type { Card } from '../../support/conflictApp.ts'
import { mountedApp } from '../../support/mountedApp.ts'
import { VersionedRemote } from '../../support/versionedRemote.ts'

const first = { id: 'c1', title: 'a', text: 'x' }

test('useOutbox shows a conflict that was asked about, and resolves it', async () => {
  const remote = new VersionedRemote<Card>()
  const { app, returned, text } = mountedApp(
    () => ({
      persistence: usePersistence<{ card: Card }>({
        strategies: { card: remote.strategy() },
        options: { storage: memoryStore(), locks: null },
      }),
      outbox: useOutbox(),
    }),
    {
      render: ({ outbox }) =>
        outbox.conflicts.value.map(({ local, remote: held }) => h('p', JSON.stringify({ mine: local, theirs: held }))),
    },
  )
  const { persistence, outbox } = returned
  await persistence.created('card', first).settled
  expect(text()).toBe('')

  const theirs = { ...first, text: 'theirs' }
  remote.put('c1', theirs)
  const mine = { ...first, title: 'mine' }
  const receipt = persistence.updated('card', mine)
  await expect.poll(text).toBe(JSON.stringify({ mine, theirs }))

  await outbox.resolve(receipt.taskId, { merged: { ...theirs, title: 'mine' } })
  expect(await receipt.settled).toMatchObject({ status: 'persisted' })
  await expect.poll(text).toBe('')
  expect(remote.dataOf('c1')).toEqual({ ...theirs, title: 'mine' })
  app.unmount()
})
