import { useObservable } from '@vueuse/rxjs'
import { defer, finalize, type Observable } from 'rxjs'
import { defineComponent, h, isProxy, nextTick, ref } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import type { Persistence } from '../../../lib/api.ts'
import { useOutbox, usePersistence, useSyncStatus, useUnsentGuard } from '../../../lib/composables/index.ts'
import { holdPersistence } from '../../../lib/composables/persistenceSlot.ts'
import { createPersistence, memoryStore, PermanentError } from '../../../lib/index.ts'
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

/** The same Persistence, and how many listen to each of its streams. */
function counted<E extends object>(persistence: Persistence<E>) {
  const listeners = { results$: 0, queue$: 0, dead$: 0, status$: 0, errors$: 0, metadata$: 0 }
  const count = <T>(name: keyof typeof listeners, stream$: Observable<T>) =>
    defer(() => {
      listeners[name] += 1
      return stream$
    }).pipe(finalize(() => (listeners[name] -= 1)))
  const watched: Persistence<E> = {
    ...persistence,
    results$: count('results$', persistence.results$),
    queue$: count('queue$', persistence.queue$),
    dead$: count('dead$', persistence.dead$),
    status$: count('status$', persistence.status$),
    errors$: count('errors$', persistence.errors$),
    metadata$: (entityType, id) => count('metadata$', persistence.metadata$(entityType, id)),
  }
  return { persistence: watched, listeners }
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

  it('lets go of the streams of a real Persistence with the component, while the Persistence lives on', async () => {
    const { persistence, listeners } = counted(
      createPersistence({
        strategies: { note: new RememberingStrategy<Note>() },
        options: { name: 'counted', storage: memoryStore() },
      }),
    )
    const shown = ref(true)
    const Panel = defineComponent(() => {
      const outbox = useOutbox()
      const { syncStatus } = useSyncStatus('note', 'n2')
      useUnsentGuard()
      const { status } = bound(usePersistence<Entities>(), 'note')
      return () => [status.value?.phase, outbox.queue.value.length, outbox.dead.value.length, syncStatus.value].join()
    })
    const { app, text } = mountedApp(() => {}, {
      prepare: (prepared) => {
        holdPersistence(prepared, () => persistence)
      },
      render: () => (shown.value ? h(Panel) : 'hidden'),
    })
    await vi.waitFor(() => expect(text()).toBe('running,0,0,'))
    // Bound one by one; useOutbox() adds status$, queue$ and dead$, the guard status$, useSyncStatus() metadata$.
    expect(listeners).toEqual({ results$: 1, queue$: 2, dead$: 2, status$: 3, errors$: 1, metadata$: 2 })

    shown.value = false
    await nextTick()
    expect(listeners).toEqual({ results$: 0, queue$: 0, dead$: 0, status$: 0, errors$: 0, metadata$: 0 })
    app.unmount()
    await persistence.close()
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
