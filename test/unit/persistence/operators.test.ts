import { type EntityEvent, NetworkError } from 'rx-outbox'
import {
  catchError,
  debounceTime,
  filter,
  map,
  mergeMap,
  type MonoTypeOperatorFunction,
  of,
  pipe,
  retry,
  take,
  tap,
  throwError,
  timeout,
} from 'rxjs'
import { describe, expect, test } from 'vitest'
import { minute, now, pass, second, useFakeTime } from '../../support/fakeTime.ts'
import { open } from '../../support/opened.ts'
import { fails, hangs, inTurn, note, type Note, Remote } from '../../support/remote.ts'

useFakeTime()

type Events = MonoTypeOperatorFunction<EntityEvent<Note>>

function opened(events: Events, remote = new Remote()) {
  const persistence = open(remote, { operators: { note: { events } } })
  const errors: unknown[] = []
  persistence.errors$.subscribe((error) => errors.push(error))
  const emit = (id: string, text = 'text') =>
    persistence.bus.emit('entity:updated', { entityType: 'note', data: note(id, text) })
  return { persistence, remote, errors, emit }
}

describe('events operators', () => {
  test('see each bus event of their type before it becomes a task, and may drop or change it', async () => {
    const seen: unknown[] = []
    const { persistence, remote, emit } = opened(
      pipe(
        tap((event) => seen.push(event)),
        filter(({ data }) => data?.text !== 'nothing'),
        map((event) => ({ ...event, priority: 1, data: note(event.id, event.data?.text.trim()) })),
      ),
    )
    emit('n1', '  hello  ')
    emit('n2', 'nothing')
    persistence.bus.emit('entity:deleted', { entityType: 'note', id: 'n3', priority: 4 })
    persistence.bus.emit('entity:created', { entityType: 'tag', data: note('t1', ' as it is ') })
    await now()
    expect(seen).toMatchObject([
      { entityType: 'note', id: 'n1', operation: 'update', data: note('n1', '  hello  ') },
      { id: 'n2' },
      { id: 'n3', operation: 'delete', priority: 4 },
    ])
    expect(remote.log.sort()).toEqual(['create t1  as it is ', 'delete n3', 'update n1 hello'])
  })

  test('are not asked by the direct door, so that a receipt always has an end', async () => {
    const { persistence, remote } = opened(filter(() => false))
    const receipt = persistence.created('note', note('n1'))
    expect(await receipt.settled).toMatchObject({ status: 'persisted' })
    expect(remote.log).toEqual(['create n1 text'])
  })

  test('that throw are reported and built anew; the event that broke them is taken in unchanged', async () => {
    const { remote, errors, emit } = opened(
      map((event) => {
        if (event.data?.text === 'bad') throw new Error('bug')
        return { ...event, data: note(event.id, 'changed') }
      }),
    )
    emit('n1')
    emit('n2', 'bad')
    emit('n3')
    await now()
    expect(remote.log).toEqual(['update n1 changed', 'update n2 bad', 'update n3 changed'])
    expect(errors).toHaveLength(1)
    expect(String(errors[0])).toMatch(/events operator of note/)
    expect(Reflect.get(Object(errors[0]), 'cause')).toEqual(new Error('bug'))
  })

  test('that complete are built anew, and nothing is lost', async () => {
    const { remote, errors, emit } = opened(take(2))
    for (let i = 0; i < 5; i++) emit(`n${i}`)
    await now()
    expect(remote.log).toEqual([0, 1, 2, 3, 4].map((i) => `update n${i} text`))
    expect(errors).toHaveLength(2)
  })

  test('that let nothing through before they complete lose nothing either', async () => {
    const { remote, errors, emit } = opened(take(0))
    emit('n1')
    emit('n2')
    await now()
    expect(remote.log).toEqual(['update n1 text', 'update n2 text'])
    expect(errors).toHaveLength(2)
  })

  test('that throw while they are built are reported, and the event is taken in unchanged', async () => {
    const { remote, errors, emit } = opened(() => {
      throw new Error('not even built')
    })
    expect(() => emit('n1')).not.toThrow()
    emit('n2')
    await now()
    expect(remote.log).toEqual(['update n1 text', 'update n2 text'])
    expect(errors).toHaveLength(2)
  })

  test('that break later are reported and built anew', async () => {
    const { remote, errors, emit } = opened(
      mergeMap(async (event) => {
        await Promise.resolve()
        if (event.id === 'n1') throw new Error('bug')
        return event
      }),
    )
    emit('n1')
    await now()
    emit('n2')
    await now()
    expect(errors).toHaveLength(1)
    expect(remote.log).toEqual(['update n2 text'])
  })

  test('that hold events back let them out when the library closes', async () => {
    const { persistence, remote, emit } = opened(debounceTime(second))
    emit('n1', 'a')
    emit('n1', 'ab')
    await pass(second - 1)
    expect(remote.calls).toEqual([])
    await pass(1)
    expect(remote.log).toEqual(['update n1 ab'])
    const stored = persistence.metadata('note', 'n2')
    emit('n2')
    await stored
    const errors: unknown[] = []
    persistence.errors$.subscribe((error) => errors.push(error))
    await persistence.close()
    expect(errors).toEqual([])
  })

  test('that make something that cannot be stored are reported, and go on', async () => {
    const { remote, errors, emit } = opened(
      map((event) => (event.id === 'n1' ? { ...event, data: Object.assign(note('n1'), { run: () => 1 }) } : event)),
    )
    emit('n1')
    emit('n2')
    await now()
    expect(remote.log).toEqual(['update n2 text'])
    expect(String(errors[0])).toMatch(/note\.run/)
  })
})

describe('attempt operators', () => {
  test('wrap each call of the strategy of their type', async () => {
    const remote = new Remote(hangs)
    const traced: unknown[] = []
    const trace = (error: unknown) => traced.push(error)
    const persistence = open(remote, {
      operators: { note: { attempt: pipe(timeout(10 * second), tap({ error: trace })) } },
    })
    persistence.created('note', note('n1'))
    persistence.created('tag', note('t1'))
    await pass(10 * second)
    expect(traced).toHaveLength(1)
    expect(remote.log).toEqual(['create n1 text', 'create t1 text'])
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ error: { category: 'timeout' } })
  })

  test('may try again at once, or answer themselves', async () => {
    const remote = new Remote(
      inTurn(
        fails(() => new NetworkError('once')),
        () => of({ backendId: 'b1' }),
      ),
    )
    const retrying = open(remote, { operators: { note: { attempt: retry(1) } } })
    const receipt = retrying.created('note', note('n1'))
    await now()
    expect(remote.calls).toHaveLength(2)
    expect(await receipt.settled).toMatchObject({ task: { retryCount: 0 }, receipt: { backendId: 'b1' } })
    const answering = open(new Remote(fails(() => new Error('no'))), {
      operators: { note: { attempt: catchError(() => of({ version: 9 })) } },
    })
    expect(await answering.created('note', note('n1')).settled).toMatchObject({ receipt: { version: 9 } })
  })

  test('that break fail the attempt, like any error', async () => {
    const persistence = open(new Remote(), {
      operators: {
        note: { attempt: () => throwError(() => new Error('bug')) },
        tag: {
          attempt: () => {
            throw new Error('bug')
          },
        },
      },
    })
    persistence.created('note', note('n1'))
    persistence.created('tag', note('t1'))
    await pass(2 * minute)
    expect(await persistence.metadata('note', 'n1')).toMatchObject({ retryCount: 1, error: { message: 'bug' } })
    expect(await persistence.metadata('tag', 't1')).toMatchObject({ retryCount: 1, error: { message: 'bug' } })
  })
})
