import { createPinia, defineStore } from 'pinia'
import { lastValueFrom, Observable, toArray } from 'rxjs'
import { createSSRApp, defineComponent, effectScope, h, type Component } from 'vue'
import { renderToString } from 'vue/server-renderer'
import { describe, expect, it, vi } from 'vitest'
import type { Options, Persistence } from '../../../lib/api.ts'
import {
  persistencePlugin,
  useOutbox,
  usePersistence,
  useSyncStatus,
  useUnsentGuard,
} from '../../../lib/composables/index.ts'
import { ClosedError } from '../../../lib/errors.ts'
import { RememberingStrategy, type Note } from '../../support/noteStrategy.ts'

interface Entities {
  note: Note
}

const useNotesStore = defineStore('notes', () => {
  const { bus, results$ } = usePersistence<Entities>()
  const results: string[] = []
  results$.subscribe(({ status }) => results.push(status))
  return { results, add: (note: Note) => bus.emit('entity:created', { entityType: 'note', data: note }) }
})

const Badge = defineComponent(() => {
  const { status, queue, dead, conflicts, unsent } = useOutbox()
  const { syncStatus, isSynced } = useSyncStatus('note', 'n1')
  const guard = useUnsentGuard()
  return () =>
    h('p', [
      `phase ${status.value.phase}, queue ${queue.value.length}, dead ${dead.value.length}, `,
      `conflicts ${conflicts.value.length}, unsent ${unsent.value}, `,
      `guarded ${guard.unsent.value}, status ${String(syncStatus.value)}, synced ${String(isSynced.value)}`,
    ])
})

/** Options that record whatever is touched. */
function watchedOptions(): { options: Options<Entities>; touched: string[] } {
  const touched: string[] = []
  const touch = (name: string) => async (): Promise<never> => {
    touched.push(name)
    throw new Error(`${name} was touched on the server`)
  }
  const touchedStream = (name: string) =>
    new Observable<never>(() => {
      touched.push(name)
    })
  return {
    touched,
    options: {
      storage: {
        kind: 'watched',
        durability: 'none',
        list: touch('list'),
        read: touch('read'),
        append: touch('append'),
        replace: touch('replace'),
        remove: touch('remove'),
        close: touch('close'),
      },
      owner: touchedStream('owner'),
      online$: touchedStream('online$'),
      locks: { request: touch('locks') },
      scheduler: {
        now: () => 0,
        schedule: () => {
          touched.push('scheduler')
          throw new Error('scheduled on the server')
        },
      },
    },
  }
}

describe('on a server', () => {
  it('renders an app to a string and opens, subscribes and schedules nothing', async () => {
    const { options, touched } = watchedOptions()
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const Root = defineComponent(() => {
      usePersistence({ strategies: { note: new RememberingStrategy<Note>() }, options })
      const store = useNotesStore()
      store.add({ id: 'n1', text: 'rendered' })
      return () => h(Badge)
    })

    const html = await renderToString(createSSRApp(Root).use(createPinia()))

    expect(html).toBe(
      '<p>phase opening, queue 0, dead 0, conflicts 0, unsent 0, guarded 0, status undefined, synced false</p>',
    )
    expect(touched).toEqual([])
    expect(timers).not.toHaveBeenCalled()
    timers.mockRestore()
  })

  it('does the same for an app with the plugin', async () => {
    const { options, touched } = watchedOptions()
    const plugin = persistencePlugin({ strategies: { note: new RememberingStrategy<Note>() }, options })

    const html = await renderToString(createSSRApp(Badge).use(plugin))

    expect(html).toContain('phase opening')
    expect(touched).toEqual([])
  })

  it('keeps requests that are rendered at the same time apart', async () => {
    const arrived: (() => void)[] = []
    /** Lets nobody on before both requests are here. */
    const together = () =>
      new Promise<void>((resolve) => {
        arrived.push(resolve)
        if (arrived.length === 2) for (const go of arrived) go()
      })
    const seen: Record<string, Persistence<Entities>[]> = { first: [], second: [] }
    const request = (name: 'first' | 'second') => {
      const Child = defineComponent(() => {
        seen[name]?.push(usePersistence<Entities>())
        return () => name
      })
      const Root = defineComponent({
        async setup() {
          seen[name]?.push(usePersistence({ strategies: { note: new RememberingStrategy<Note>() } }))
          await together()
          return () => h(Child)
        },
      })
      return renderToString(createSSRApp(Root))
    }

    expect(await Promise.all([request('first'), request('second')])).toEqual(['first', 'second'])
    expect(seen.first?.[1]).toBe(seen.first?.[0])
    expect(seen.second?.[1]).toBe(seen.second?.[0])
    expect(seen.first?.[0]).not.toBe(seen.second?.[0])
  })

  it('renders the same app as often as it is asked to', async () => {
    const app = createSSRApp(() => h(Badge)).use(persistencePlugin({ note: new RememberingStrategy<Note>() }))
    const Root = defineComponent(() => {
      usePersistence({ strategies: { note: new RememberingStrategy<Note>() } })
      return () => h(Badge)
    })
    const rooted = createSSRApp(Root)

    // Vue itself warns that the context of its rendering is provided twice.
    const warnings = vi.spyOn(console, 'warn').mockReturnValue()
    expect(await renderToString(app)).toBe(await renderToString(app))
    expect(await renderToString(rooted)).toBe(await renderToString(rooted))
    warnings.mockRestore()
  })

  it('gives each stream its initial state and completes it', async () => {
    const persistence = await onServer()
    const all = <T>(stream$: Observable<T>) => lastValueFrom(stream$.pipe(toArray()))

    expect(await all(persistence.results$)).toEqual([])
    expect(await all(persistence.errors$)).toEqual([])
    expect(await all(persistence.bus.errors$)).toEqual([])
    expect(await all(persistence.bus.on('entity:persisted'))).toEqual([])
    expect(await all(persistence.queue$)).toEqual([[]])
    expect(await all(persistence.dead$)).toEqual([[]])
    expect(await all(persistence.conflicts$)).toEqual([[]])
    expect(await all(persistence.metadata$('note', 'n1'))).toEqual([undefined])
    expect(await all(persistence.status$)).toMatchObject([
      { phase: 'opening', pending: 0, storage: { state: 'opening' } },
    ])
  })

  it('answers commands without doing anything, and never claims that something is stored', async () => {
    const persistence = await onServer()
    const receipt = persistence.created('note', { id: 'n1', text: 'lost' })

    await expect(receipt.durable).rejects.toBeInstanceOf(ClosedError)
    await expect(receipt.settled).resolves.toEqual({ status: 'closed' })
    await expect(persistence.retry('t1')).rejects.toBeInstanceOf(ClosedError)
    await expect(persistence.resolve('t1', 'local')).rejects.toBeInstanceOf(ClosedError)
    await expect(persistence.metadata('note')).resolves.toEqual(new Map())
    await expect(persistence.metadata('note', 'n1')).resolves.toBeUndefined()
    await Promise.all([persistence.pause(), persistence.flush(), persistence.idle(), persistence.close()])
  })

  it('raises no unhandled rejection when a receipt is ignored', async () => {
    const persistence = await onServer()
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    persistence.updated('note', { id: 'n1', text: 'ignored' })
    persistence.deleted('note', 'n1')
    // Node tells of them once the microtasks are done, before the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    process.off('unhandledRejection', note)

    expect(unhandled).toEqual([])
  })
})

describe('without an app', () => {
  it('says where to call usePersistence()', () => {
    expect(() => usePersistence()).toThrow(/in setup\(\) or in a Pinia store/)
  })

  it('says where to call usePersistence({ strategies }), also inside an effect scope of no component', () => {
    const opened = () => usePersistence({ note: new RememberingStrategy<Note>() })
    expect(opened).toThrow(/setup of the root component/)
    expect(() => effectScope().run(opened)).toThrow(/setup of the root component/)
  })

  it('names the call that is missing', async () => {
    const app = createSSRApp(Badge)
    app.config.warnHandler = () => {}
    const errors: unknown[] = []
    // Where setup throws and nobody handles that, Vue leaves its scope behind, for whoever comes next.
    app.config.errorHandler = (error) => errors.push(error)
    await renderToString(app)
    expect(String(errors[0])).toMatch(/usePersistence\(\{ strategies \}\) in the root component/)
  })
})

async function onServer(): Promise<Persistence<Entities>> {
  const held: Persistence<Entities>[] = []
  const Root: Component = defineComponent(() => {
    held.push(usePersistence({ strategies: { note: new RememberingStrategy<Note>() } }))
    return () => null
  })
  await renderToString(createSSRApp(Root))
  const [persistence] = held
  if (!persistence) throw new Error('The root was not set up')
  return persistence
}
