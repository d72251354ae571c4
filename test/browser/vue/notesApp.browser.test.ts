import { createPinia, defineStore } from 'pinia'
import { defineComponent, h, nextTick, reactive, ref, shallowRef } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import { useOutbox, usePersistence, useSyncStatus } from '../../../lib/composables/index.ts'
import { memoryStore } from '../../../lib/index.ts'
import { mountedApp } from '../../support/mountedApp.ts'
import { RememberingStrategy, type Note } from '../../support/noteStrategy.ts'

interface Entities {
  note: Note
}

/** As an app writes it: state, events out, results in. */
const useNotesStore = defineStore('notes', () => {
  const { bus } = usePersistence<Entities>()
  const notes = ref<Note[]>([])
  const confirmed = ref<string[]>([])
  let listening = false
  return {
    notes,
    confirmed,
    add(note: Note) {
      notes.value.push(note)
      const [added] = notes.value.slice(-1)
      // A proxy, as it lies in the store.
      if (added) bus.emit('entity:created', { entityType: 'note', data: added })
    },
    initPersistenceListeners() {
      if (listening) return
      listening = true
      bus.on('entity:persisted').subscribe(({ id }) => confirmed.value.push(id))
    },
  }
})

function setupOf(strategy: RememberingStrategy<Note>, name: string) {
  return { strategies: { note: strategy }, options: { name, storage: memoryStore() } }
}

describe('an app with a store', () => {
  it('emits, is told the outcome and shows it', async () => {
    const strategy = new RememberingStrategy<Note>()
    const Badge = defineComponent({
      props: { id: { type: String, required: true } },
      setup(props) {
        const { syncStatus } = useSyncStatus('note', () => props.id)
        return () => h('b', syncStatus.value ?? 'unknown')
      },
    })
    const { app, returned, text } = mountedApp(
      () => {
        usePersistence(setupOf(strategy, 'notes-app'))
        const store = useNotesStore()
        store.initPersistenceListeners()
        store.initPersistenceListeners()
        return { store, outbox: useOutbox() }
      },
      {
        prepare: (prepared) => prepared.use(createPinia()),
        render: ({ store }) => store.notes.map(({ id }) => h(Badge, { id, key: id })),
      },
    )
    const { store, outbox } = returned

    store.add({ id: 'n1', text: 'first' })
    await vi.waitFor(() => expect(store.confirmed).toEqual(['n1']))
    await vi.waitFor(() => expect(text()).toBe('synced'))
    expect(outbox.unsent.value).toBe(0)

    await outbox.pause()
    store.add({ id: 'n2', text: 'second' })
    await vi.waitFor(() => expect(text()).toBe('syncedpending'))
    expect(outbox.unsent.value).toBe(1)
    await vi.waitFor(() => expect(outbox.queue.value.map(({ entityId }) => entityId)).toEqual(['n2']))
    app.unmount()
  })
})

describe('a proxy of Vue', () => {
  it('arrives as plain data, by the bus and by the direct door', async () => {
    const strategy = new RememberingStrategy<Note & { tags?: { name: string }[] }>()
    const { app, returned } = mountedApp(() =>
      usePersistence({ strategies: { note: strategy }, options: { name: 'proxies', storage: memoryStore() } }),
    )
    const held = ref({ id: 'direct', text: 'a', tags: [{ name: 'deep' }] })
    const state = reactive({ id: 'bus', text: 'b', tags: [{ name: 'deep' }] })
    const mixed = shallowRef({ id: 'mixed', text: 'c', tags: reactive([{ name: 'deep' }]) })

    await returned.created('note', held.value).settled
    await returned.created('note', mixed.value).settled
    returned.bus.emit('entity:created', { entityType: 'note', data: state })
    await vi.waitFor(() => expect(strategy.created).toHaveLength(3))

    const arrived = strategy.created.map(({ data }) => data)
    expect(arrived).toEqual([
      { id: 'direct', text: 'a', tags: [{ name: 'deep' }] },
      { id: 'mixed', text: 'c', tags: [{ name: 'deep' }] },
      { id: 'bus', text: 'b', tags: [{ name: 'deep' }] },
    ])
    // The structured clone refuses proxies, however deep they lie.
    expect(() => structuredClone(arrived)).not.toThrow()
    app.unmount()
    await nextTick()
  })

  it('is taken as it was when it was emitted', async () => {
    const strategy = new RememberingStrategy<Note>()
    const { app, returned } = mountedApp(() => usePersistence(setupOf(strategy, 'as-emitted')))
    const note = reactive({ id: 'n1', text: 'then' })
    const receipt = returned.created('note', note)
    note.text = 'later'
    await receipt.settled

    expect(strategy.created[0]?.data.text).toBe('then')
    app.unmount()
  })
})
