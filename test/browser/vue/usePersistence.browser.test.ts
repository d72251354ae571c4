import { createPinia, defineStore, setActivePinia } from 'pinia'
import { createApp, defineComponent, effectScope, h, nextTick, onMounted, ref, type Component } from 'vue'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Persistence } from '../../../lib/api.ts'
import { persistencePlugin, usePersistence } from '../../../lib/composables/index.ts'
import { createEventBus, memoryStore } from '../../../lib/index.ts'
import { mountedApp } from '../../support/mountedApp.ts'
import { RememberingStrategy, type Note } from '../../support/noteStrategy.ts'

interface Entities {
  note: Note
}

let names = 0

function noteSetup() {
  names += 1
  return {
    strategies: { note: new RememberingStrategy<Note>() },
    options: { name: `vue-${names}`, storage: memoryStore() },
  }
}

function ended(persistence: Persistence<Entities>): () => boolean {
  let complete = false
  persistence.results$.subscribe({ complete: () => (complete = true) })
  return () => complete
}

/** A component that keeps what it finds. */
function finder() {
  const found: Persistence<Entities>[] = []
  const component = defineComponent(() => {
    found.push(usePersistence<Entities>())
    return () => 'child'
  })
  return { component, found }
}

describe('usePersistence', () => {
  it('is found by the root itself, its children and effect scopes in them', () => {
    const { component, found } = finder()
    const { app, returned } = mountedApp(
      () => {
        const opened = usePersistence(noteSetup())
        return { opened, here: usePersistence<Entities>(), scoped: effectScope().run(() => usePersistence<Entities>()) }
      },
      { render: () => h('div', h(component)) },
    )

    expect(returned.here).toBe(returned.opened)
    expect(returned.scoped).toBe(returned.opened)
    expect(found).toEqual([returned.opened])
    app.unmount()
  })

  it('takes a bare map of strategies', async () => {
    const note = new RememberingStrategy<Note>()
    const { app, returned } = mountedApp(() => usePersistence({ note }))
    await returned.created('note', { id: 'n1', text: 'bare' }).settled
    expect(note.created.map(({ id }) => id)).toEqual(['n1'])
    app.unmount()
  })

  it('keeps two apps on a page apart', async () => {
    const first = finder()
    const second = finder()
    const one = mountedApp(() => usePersistence(noteSetup()), { render: () => h(first.component) })
    const two = mountedApp(() => usePersistence(noteSetup()), { render: () => h(second.component) })

    expect(first.found).toEqual([one.returned])
    expect(second.found).toEqual([two.returned])
    expect(one.returned).not.toBe(two.returned)

    const twoEnded = ended(two.returned)
    one.app.unmount()
    await one.returned.close()
    expect(twoEnded()).toBe(false)
    two.app.unmount()
  })

  it('ends with its component', async () => {
    const { app, returned } = mountedApp(() => usePersistence(noteSetup()))
    const isOver = ended(returned)
    app.unmount()
    await vi.waitFor(() => expect(isOver()).toBe(true))
  })

  it('refuses a second one while the first is alive, wherever in the app', () => {
    const twice = () => {
      usePersistence(noteSetup())
      usePersistence(noteSetup())
    }
    expect(() => mountedApp(twice)).toThrow(/has a Persistence already.*without arguments everywhere else/)

    const Child = defineComponent(() => {
      usePersistence(noteSetup())
      return () => null
    })
    const inChild = () => mountedApp(() => usePersistence(noteSetup()), { render: () => h(Child) })
    expect(inChild).toThrow(/has a Persistence already/)
  })

  it('takes a second one once the first was closed by hand', async () => {
    const Child = defineComponent(() => {
      const persistence = usePersistence(noteSetup())
      return () => (persistence === usePersistence<Entities>() ? 'new' : 'old')
    })
    const shown = ref(false)
    const { app, returned, text } = mountedApp(() => usePersistence(noteSetup()), {
      render: () => (shown.value ? h(Child) : 'none'),
    })
    await returned.close()
    shown.value = true
    await nextTick()

    expect(text()).toBe('new')
    app.unmount()
  })

  it('leaves the app able to open one when opening failed', () => {
    const { app, returned } = mountedApp(() => {
      const wrong = { ...noteSetup(), options: { concurrency: -1 } }
      expect(() => usePersistence(wrong)).toThrow(/concurrency/)
      return usePersistence(noteSetup())
    })
    expect(returned.created).toBeTypeOf('function')
    app.unmount()
  })

  it('says what is missing where none was provided, and again when the one there was has ended', async () => {
    expect(() => mountedApp(() => usePersistence())).toThrow(/usePersistence\(\{ strategies \}\) in the root component/)

    const shown = ref(true)
    const Owner = defineComponent(() => {
      usePersistence(noteSetup())
      return () => 'owner'
    })
    const Late: Component = defineComponent(() => {
      expect(() => usePersistence()).toThrow(/has no Persistence/)
      return () => 'late'
    })
    const { app, text } = mountedApp(() => {}, { render: () => (shown.value ? h(Owner) : h(Late)) })
    shown.value = false
    await nextTick()
    expect(text()).toBe('late')
    app.unmount()
  })

  it('says where to call it outside setup', () => {
    expect(() => usePersistence()).toThrow(/in setup\(\) or in a Pinia store/)
    expect(() => usePersistence(noteSetup())).toThrow(/setup of the root component/)
    const { app } = mountedApp(() => {}, {
      render: () => {
        expect(() => usePersistence(noteSetup())).toThrow(/setup of the root component/)
        return null
      },
    })
    app.unmount()
  })

  it('can be opened when mounted as well, and ends with that component', async () => {
    const opened: Persistence<Entities>[] = []
    const { app } = mountedApp(() => {
      onMounted(() => opened.push(usePersistence(noteSetup())))
    })
    const [persistence] = opened
    if (!persistence) throw new Error('Nothing was opened')
    const isOver = ended(persistence)
    app.unmount()
    await vi.waitFor(() => expect(isOver()).toBe(true))
  })

  it('is no proxy where it is kept in reactive state', () => {
    const { app, returned } = mountedApp(() => {
      const opened = usePersistence(noteSetup())
      return { opened, held: ref({ opened }) }
    })
    expect(returned.held.value.opened).toBe(returned.opened)
    app.unmount()
  })
})

describe('persistencePlugin', () => {
  it('provides to the root and all below, and closes when the app is unmounted', async () => {
    const { component, found } = finder()
    const { app, returned } = mountedApp(() => usePersistence<Entities>(), {
      prepare: (prepared) => prepared.use(persistencePlugin(noteSetup())),
      render: () => h(component),
    })
    expect(found).toEqual([returned])

    const isOver = ended(returned)
    app.unmount()
    await vi.waitFor(() => expect(isOver()).toBe(true))
  })

  it('refuses usePersistence({ strategies }) beside it', () => {
    const beside = () =>
      mountedApp(() => usePersistence(noteSetup()), {
        prepare: (app) => app.use(persistencePlugin(noteSetup())),
      })
    expect(beside).toThrow(/has a Persistence already/)
  })

  it('opens one for each app it is used in', () => {
    const plugin = persistencePlugin({ note: new RememberingStrategy<Note>() })
    const prepare = (app: ReturnType<typeof createApp>) => app.use(plugin)
    const one = mountedApp(() => usePersistence<Entities>(), { prepare })
    const two = mountedApp(() => usePersistence<Entities>(), { prepare })
    expect(one.returned).not.toBe(two.returned)
    one.app.unmount()
    two.app.unmount()
  })
})

describe('a Pinia store', () => {
  const useNotesStore = defineStore('notes', () => {
    const persistence = usePersistence<Entities>()
    return { persistence: () => persistence }
  })

  afterEach(() => {
    setActivePinia(undefined)
  })

  it('finds the Persistence of its app, created in setup', () => {
    const { app, returned } = mountedApp(() => ({ opened: usePersistence(noteSetup()), store: useNotesStore() }), {
      prepare: (prepared) => prepared.use(createPinia()),
    })
    expect(returned.store.persistence()).toBe(returned.opened)
    app.unmount()
  })

  it('finds it outside of components too, each in the app of its pinia', () => {
    const firstPinia = createPinia()
    const secondPinia = createPinia()
    const one = mountedApp(() => usePersistence(noteSetup()), { prepare: (app) => app.use(firstPinia) })
    const two = mountedApp(() => usePersistence(noteSetup()), { prepare: (app) => app.use(secondPinia) })

    expect(useNotesStore(firstPinia).persistence()).toBe(one.returned)
    expect(useNotesStore(secondPinia).persistence()).toBe(two.returned)
    one.app.unmount()
    two.app.unmount()
  })
})

describe('hot reload', () => {
  /** What the bundler's hot update calls for a component whose script changed. */
  interface HotReload {
    reload: (id: string, component: Component) => void
  }
  const hotReload = (): HotReload => Reflect.get(globalThis, '__VUE_HMR_RUNTIME__') as HotReload

  it('of the root opens a new one after the old one was let go', async () => {
    const warnings = vi.spyOn(console, 'warn')
    const setup = noteSetup()
    const opened: Persistence<Entities>[] = []
    const { component, found } = finder()
    const root = (): Component => ({
      __hmrId: 'hot-root',
      setup() {
        opened.push(usePersistence(setup))
        return () => h(component)
      },
    })
    const app = createApp(root())
    app.mount(document.createElement('div'))
    const [first] = opened
    if (!first) throw new Error('The root was not set up')
    const firstEnded = ended(first)

    hotReload().reload('hot-root', root())

    const [, second] = opened
    if (!second) throw new Error('The root was not set up again')
    expect(found).toEqual([first, second])
    expect(second).not.toBe(first)
    await vi.waitFor(() => expect(firstEnded()).toBe(true))
    const secondEnded = ended(second)

    hotReload().reload('hot-root', root())
    expect(opened).toHaveLength(3)
    await vi.waitFor(() => expect(secondEnded()).toBe(true))
    expect(warnings).not.toHaveBeenCalled()
    warnings.mockRestore()

    const locks = async () => {
      const { held = [], pending = [] } = await navigator.locks.query()
      return [...held, ...pending].flatMap(({ name = '' }) => (name.includes(`:${setup.options.name}/`) ? [name] : []))
    }
    await vi.waitFor(async () => expect(await locks()).not.toEqual([]))
    app.unmount()
    await vi.waitFor(async () => expect(await locks()).toEqual([]))
  })

  it('of the root goes on with the same bus and journal, for stores that hold the bus', async () => {
    const strategy = new RememberingStrategy<Note>()
    const storage = memoryStore()
    const useHotStore = defineStore('hot', () => {
      const { bus } = usePersistence<Entities>()
      const told: string[] = []
      bus.on('entity:persisted').subscribe(({ id }) => told.push(id))
      return {
        told: () => told,
        add: (id: string) => bus.emit('entity:created', { entityType: 'note', data: { id, text: 'hot' } }),
      }
    })
    const opened: Persistence<Entities>[] = []
    const root = (): Component => ({
      __hmrId: 'hot-store',
      setup() {
        opened.push(usePersistence({ strategies: { note: strategy }, options: { name: 'hot-store', storage } }))
        const store = useHotStore()
        return () => store.told().length
      },
    })
    const pinia = createPinia()
    const app = createApp(root()).use(pinia)
    app.mount(document.createElement('div'))
    const store = useHotStore(pinia)
    await opened[0]?.pause()
    store.add('before')

    hotReload().reload('hot-store', root())
    store.add('after')

    await opened[1]?.resume()
    await vi.waitFor(() => expect(store.told()).toEqual(['before', 'after']))
    expect(strategy.created.map(({ id }) => id)).toEqual(['before', 'after'])
    app.unmount()
  })

  it("of the root works with a bus of the app's own", async () => {
    const bus = createEventBus<Entities>()
    const strategy = new RememberingStrategy<Note>()
    const root = (): Component => ({
      __hmrId: 'hot-bus',
      setup() {
        usePersistence({ strategies: { note: strategy }, options: { bus, name: 'hot-bus', storage: memoryStore() } })
        return () => null
      },
    })
    const app = createApp(root())
    app.mount(document.createElement('div'))

    hotReload().reload('hot-bus', root())
    bus.emit('entity:created', { entityType: 'note', data: { id: 'n1', text: 'hot' } })

    await vi.waitFor(() => expect(strategy.created.map(({ id }) => id)).toEqual(['n1']))
    app.unmount()
  })

  it('of a child leaves the Persistence alone', async () => {
    const found: Persistence<Entities>[] = []
    const child = (): Component => ({
      __hmrId: 'hot-child',
      setup() {
        found.push(usePersistence<Entities>())
        return () => 'child'
      },
    })
    const Child = child()
    const { app, returned } = mountedApp(() => usePersistence(noteSetup()), { render: () => h(Child) })
    const isOver = ended(returned)

    hotReload().reload('hot-child', child())
    await nextTick()

    expect(found).toEqual([returned, returned])
    expect(isOver()).toBe(false)
    app.unmount()
  })
})
