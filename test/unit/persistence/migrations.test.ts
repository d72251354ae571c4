import { memoryStore, type Options, type PersistenceStrategy } from 'rx-outbox'
import { firstValueFrom, of } from 'rxjs'
import { describe, expect, test, vi } from 'vitest'
import * as z from 'zod/mini'
import { decodeRecord } from '../../../lib/storage/codec.ts'
import { decodeGroups } from '../../../lib/storage/frame.ts'
import type { JournalStore } from '../../../lib/storage/journalStore.ts'
import { hour, now, pass, useFakeTime } from '../../support/fakeTime.ts'
import { type Entities, network, open } from '../../support/opened.ts'
import { fails, hangs, note, type Note, Remote } from '../../support/remote.ts'

useFakeTime()

/** Version 1 had texts, version 2 has them louder. */
const louder = vi.fn<(data: unknown, from: number) => Note>((data, from) => {
  const { id, text } = data as Note
  return note(id, `${text} (from ${from})`)
})
const version2: Options<Entities> = { schemaVersion: 2, migrations: { note: louder } }

/** A store in which version 1 of the app left what it did. */
async function left(does: (app: ReturnType<typeof open>) => unknown, remote = new Remote(), online = false) {
  const storage = memoryStore()
  const app = open(remote, { storage, online$: network(online) })
  does(app)
  await now()
  await app.close()
  return storage
}

async function recordsOf(storage: JournalStore) {
  const { lines } = decodeGroups(await storage.read('rx-outbox/', 'leader'))
  return lines.flatMap((line) => decodeRecord(line) ?? [])
}

describe('a task that waits since an older version', () => {
  test('is sent in the present shape; one of the present version, a delete and other types are left alone', async () => {
    const storage = await left((app) => {
      app.created('note', note('n1', 'old'))
      app.created('tag', note('t1', 'old'))
      app.deleted('note', 'n2')
    })
    louder.mockClear()
    const remote = new Remote()
    const app = open(remote, { storage, ...version2 })
    app.created('note', note('n3', 'new'))
    await now()
    expect(remote.log).toEqual(['create n1 old (from 1)', 'create t1 old', 'delete n2', 'create n3 new'])
    expect(remote.calls.map(({ attempt }) => attempt.schemaVersion)).toEqual([2, 1, 1, 2])
    expect(louder).toHaveBeenCalledTimes(1)
  })

  test('is sent as it was stored: what it became is durable before, and the same after a crash, without the migration', async () => {
    const storage = await left((app) => app.created('note', note('n1', 'old')))
    const first = new Remote(hangs)
    const app = open(first, { storage, ...version2 })
    await now()
    expect(first.log).toEqual(['create n1 old (from 1)'])
    const stored = (await recordsOf(storage)).find(({ kind }) => kind === 'sending')
    expect(stored).toMatchObject({ schemaVersion: 2, data: JSON.stringify(note('n1', 'old (from 1)')) })
    await app.close()
    louder.mockClear()
    const second = new Remote()
    open(second, { storage, ...version2, schemaVersion: 3 })
    await now()
    expect(second.log).toEqual(first.log)
    expect(second.calls[0]?.attempt).toMatchObject({
      schemaVersion: 2,
      idempotencyKey: first.calls[0]?.attempt.idempotencyKey,
    })
    expect(louder).not.toHaveBeenCalled()
  })

  test('is not migrated when it was marked: it may have been sent like that', async () => {
    const storage = await left((app) => app.created('note', note('n1', 'old')), new Remote(hangs), true)
    const remote = new Remote()
    open(remote, { storage, ...version2 })
    await now()
    expect(remote.log).toEqual(['create n1 old'])
  })

  test('is migrated when a dead letter of it is retried', async () => {
    const storage = await left((app) => app.created('note', note('n1', 'old')))
    const broken = open(new Remote(), {
      storage,
      schemaVersion: 2,
      migrations: {
        note: () => {
          throw new Error('oops')
        },
      },
    })
    await now()
    await broken.close()
    const remote = new Remote()
    const app = open(remote, { storage, ...version2 })
    await app.retryAll()
    await now()
    expect(remote.log).toEqual(['create n1 old (from 1)'])
  })
})

describe('a migration that', () => {
  const schemas = { note: z.object({ id: z.string(), text: z.string(), tags: z.array(z.string()) }) }
  test.each<[string, Options<Entities>, RegExp]>([
    [
      'throws',
      {
        migrations: {
          note: () => {
            throw new Error('no tags')
          },
        },
      },
      /^The migration of note from version 1 to 2 failed: no tags$/,
    ],
    [
      'gives what cannot be stored',
      { migrations: { note: () => ({ ...note('x'), go: () => 1 }) } },
      /migration of note .*note\.go is a function/,
    ],
    [
      'gives what its schema refuses',
      { ...version2, schemas },
      /^The schema of note refuses what the migration brought from version 1 to 2: note\.tags: /,
    ],
    [
      'is missing while the schema refuses the old shape',
      { schemas },
      /^The schema of note refuses what no migration brought from version 1 to 2: note\.tags: /,
    ],
  ])('%s makes a dead letter that says so, and holds up nobody else', async (_, options, message) => {
    const storage = await left((app) => {
      for (let i = 0; i < 20; i++) app.created('note', note(`n${i}`))
      app.created('tag', note('t1'))
    })
    const remote = new Remote()
    const app = open(remote, { storage, ...options, schemaVersion: 2 })
    await pass(hour)
    expect(remote.log).toEqual(['create t1 text'])
    const dead = await firstValueFrom(app.dead$)
    expect(dead).toHaveLength(20)
    expect(dead[0]).toMatchObject({
      outcome: 'failed',
      error: { category: 'client', message: expect.stringMatching(message) },
    })
  })
})

describe('tasks of different versions', () => {
  /** Offline, version 1 leaves an update; version 2 adds another one. */
  async function metBy(coalesce?: PersistenceStrategy<Note>['coalesce']) {
    const storage = await left((app) => app.updated('note', note('n1', 'old')))
    const remote = Object.assign(new Remote(), coalesce && { coalesce })
    const online$ = network(false)
    const app = open(remote, { storage, online$, ...version2 })
    app.updated('note', note('n1', 'new'))
    await now()
    online$.next(true)
    await now()
    return remote.log
  }

  test('become one where the newer simply stands', async () => {
    expect(await metBy()).toEqual(['update n1 new'])
  })

  test('are sent one by one where the strategy would join them: it knows the present shapes only', async () => {
    const join = vi.fn<(older: Note, newer: Note) => Note>((older, newer) =>
      note(newer.id, `${older.text}+${newer.text}`),
    )
    expect(await metBy(join)).toEqual(['update n1 old (from 1)', 'update n1 new'])
    expect(join).not.toHaveBeenCalled()
  })
})

describe('a task of a newer version than the app', () => {
  async function newer(remote: Remote, online = false) {
    const storage = memoryStore()
    const app = open(remote, { storage, ...version2, online$: network(online) })
    app.created('note', note('n1', 'new'))
    await now()
    await app.close()
    return storage
  }

  test.each([
    ['waits', false],
    ['was sent', true],
  ])(
    'that %s is parked and told, and goes when the newer app is back; other entities are delivered',
    async (_, online) => {
      const storage = await newer(new Remote(fails(() => new Error('down'))), online)
      const remote = new Remote()
      const old = open(remote, { storage })
      const errors: unknown[] = []
      old.errors$.subscribe((error) => errors.push(error))
      old.updated('note', note('n1', 'old'))
      old.created('note', note('n2', 'old'))
      await pass(24 * hour)
      expect(remote.log).toEqual(['create n2 old'])
      expect(String(errors[0])).toMatch(/Tasks of note are parked: they are of version 2, newer than this app/)
      expect(await firstValueFrom(old.status$)).toMatchObject({ parked: 1, waiting: 1 })
      await old.close()
      const back = new Remote(() => of({}))
      open(back, { storage, ...version2 })
      await now()
      expect(back.log).toEqual(['create n1 new', 'update n1 old (from 1)'])
    },
  )

  test('that was migrated, marked and left behind is parked too', async () => {
    const storage = await left((app) => app.created('note', note('n1', 'old')))
    const middle = open(new Remote(hangs), { storage, ...version2 })
    await now()
    await middle.close()
    const remote = new Remote()
    open(remote, { storage })
    await pass(hour)
    expect(remote.log).toEqual([])
  })
})
