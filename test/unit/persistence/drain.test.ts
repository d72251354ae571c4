import { memoryStore } from 'rx-outbox'
import { of } from 'rxjs'
import { expect, test } from 'vitest'
import { open } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'

const many = 10_000
const enough = 60_000

test(
  '10,000 tasks whose strategy answers synchronously drain, each once, without overflow or stall',
  async () => {
    const remote = new Remote(() => of({}))
    const persistence = open(remote)
    for (let i = 0; i < many; i++) persistence.created('note', note(`n${i}`))
    await persistence.idle()
    expect(new Set(remote.calls.map(({ id }) => id)).size).toBe(many)
    expect(remote.calls).toHaveLength(many)
  },
  enough,
)

test(
  'and with eight places, and while others come in',
  async () => {
    const remote = new Remote(() => of({}))
    const persistence = open(remote, { concurrency: 8 })
    let left = many / 2
    persistence.bus.on('entity:persisted', () => {
      if (left > 0) persistence.updated('note', note(`m${left--}`))
    })
    for (let i = 0; i < many / 2; i++) persistence.created('note', note(`n${i}`))
    await persistence.idle()
    expect(remote.calls).toHaveLength(many)
  },
  enough,
)

test(
  '1,000 changes of one entity become one',
  async () => {
    const remote = new Remote(() => of({}))
    const persistence = open(remote)
    const receipts = Array.from({ length: 1_000 }, (_, i) => persistence.updated('note', note('n1', `v${i}`)))
    await persistence.idle()
    expect(remote.log).toEqual(['update n1 v999'])
    const ends = await Promise.all(receipts.map(({ settled }) => settled))
    expect(new Set(ends.map(({ status }) => status))).toEqual(new Set(['persisted']))
  },
  enough,
)

test(
  'what 10,000 left behind is small, and the next start finds nothing to do',
  async () => {
    const storage = memoryStore()
    const remote = new Remote(() => of({}))
    const first = open(remote, { storage })
    for (let i = 0; i < many; i++) first.created('note', note('n1', `v${i}`))
    await first.idle()
    await first.close()
    const sent = remote.calls.length
    const second = open(remote, { storage })
    await second.idle()
    expect(remote.calls).toHaveLength(sent)
  },
  enough,
)
