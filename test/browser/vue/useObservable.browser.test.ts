import { useObservable } from '@vueuse/rxjs'
import { isProxy, nextTick } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import type { Persistence } from '../../../lib/api.ts'
import { usePersistence } from '../../../lib/composables/index.ts'
import { holdPersistence } from '../../../lib/composables/persistenceSlot.ts'
import { memoryStore, PermanentError } from '../../../lib/index.ts'
import { fakePersistence } from '../../support/fakePersistence.ts'
import { mountedApp } from '../../support/mountedApp.ts'
import { RememberingStrategy, type Note } from '../../support/noteStrategy.ts'

interface Entities {
  note: Note
}

/** Every stream there is, bound as it is. */
function bound<E extends object>(persistence: Persistence<E>, entityType: keyof E & string) {
  return {
    result: useObservable(persistence.results$),
    queue: useObservable(persistence.queue$),
    dead: useObservable(persistence.dead$),
    status: useObservable(persistence.status$),
    error: useObservable(persistence.errors$),
    metadata: useObservable(persistence.metadata$(entityType, 'n1')),
    persisted: useObservable(persistence.bus.on('entity:persisted')),
    handlerError: useObservable(persistence.bus.errors$),
  }
}

describe('useObservable of @vueuse/rxjs', () => {
  it('binds every stream and lets go of it with the component', () => {
    const persistence = fakePersistence()
    const { app } = mountedApp(() => bound(usePersistence(), 'note'), {
      prepare: (prepared) => {
        holdPersistence(prepared, () => persistence)
      },
    })
    const streams = ['dead$', 'errors$', 'metadata$(note/n1)', 'queue$', 'results$', 'status$']
    expect(persistence.observed().sort()).toEqual(streams)

    app.unmount()
    expect(persistence.observed()).toEqual([])
  })

  it('shows what happens, and leaves what it shows as it is', async () => {
    const { app, returned } = mountedApp(() => {
      const persistence = usePersistence({
        strategies: { note: new RememberingStrategy<Note>() },
        options: { name: 'bound', storage: memoryStore() },
      })
      return { persistence, ...bound<Entities>(persistence, 'note') }
    })
    const { persistence, result, queue, dead, status, error, metadata, persisted, handlerError } = returned
    await vi.waitFor(() => expect(status.value?.phase).toBe('running'))

    await persistence.pause()
    await persistence.created('note', { id: 'n1', text: 'first' }).durable
    await vi.waitFor(() => expect(queue.value).toHaveLength(1))
    expect(status.value?.waiting).toBe(1)
    expect(metadata.value?.syncStatus).toBe('pending')

    await persistence.resume()
    await vi.waitFor(() => expect(metadata.value?.syncStatus).toBe('synced'))
    expect(result.value).toMatchObject({ status: 'persisted', id: 'n1' })
    expect(persisted.value).toMatchObject({ entityType: 'note', id: 'n1' })
    await vi.waitFor(() => expect(queue.value).toEqual([]))

    const broken = new Error('handler broke')
    persistence.bus.on('entity:updated', () => {
      throw broken
    })
    persistence.bus.emit('entity:updated', { entityType: 'note', data: { id: 'n1', text: 'second' } })
    await vi.waitFor(() => expect(error.value).toBeDefined())
    expect(handlerError.value).toBeDefined()

    for (const { value } of [result, queue, dead, status, error, metadata]) expect(isProxy(value)).toBe(false)
    app.unmount()
  })

  it('shows dead letters, which retry brings to life again', async () => {
    const strategy = new RememberingStrategy<Note>()
    const refused = vi.spyOn(strategy, 'persistCreate').mockRejectedValueOnce(new PermanentError('refused'))
    const { app, returned } = mountedApp(() => {
      const persistence = usePersistence({
        strategies: { note: strategy },
        options: { name: 'bound-dead', storage: memoryStore() },
      })
      return { persistence, ...bound<Entities>(persistence, 'note') }
    })
    const { persistence, dead, metadata } = returned
    const receipt = persistence.created('note', { id: 'n1', text: 'refused' })
    await expect(receipt.settled).resolves.toMatchObject({ status: 'failed' })
    await vi.waitFor(() => expect(dead.value).toHaveLength(1))
    expect(metadata.value?.syncStatus).toBe('error')

    await persistence.retry(receipt.taskId)
    await vi.waitFor(() => expect(metadata.value?.syncStatus).toBe('synced'))
    expect(dead.value).toEqual([])
    expect(refused).toHaveBeenCalledTimes(2)
    app.unmount()
    await nextTick()
  })
})
