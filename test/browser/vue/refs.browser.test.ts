import { Subject, throwError } from 'rxjs'
import { effectScope, h, isReactive, isReadonly, isShallow, nextTick, ref, watch } from 'vue'
import { describe, expect, it, vi } from 'vitest'
import { toShallowRef, useOutbox, useSyncStatus } from '../../../lib/composables/index.ts'
import { holdPersistence } from '../../../lib/composables/persistenceSlot.ts'
import type { PersistenceMetadata } from '../../../lib/types.ts'
import { fakePersistence } from '../../support/fakePersistence.ts'
import { mountedApp } from '../../support/mountedApp.ts'

const synced: PersistenceMetadata = { syncStatus: 'synced', retryCount: 0, maxRetries: 3, backendId: 'b1' }
const pending: PersistenceMetadata = { syncStatus: 'pending', retryCount: 1, maxRetries: 3 }

/** Mounts an app whose Persistence is played by the test. */
function played<T>(setup: () => T, render?: Parameters<typeof mountedApp<T>>[1]) {
  const persistence = fakePersistence()
  return {
    persistence,
    ...mountedApp(setup, {
      ...render,
      prepare: (app) => {
        holdPersistence(app, () => persistence)
      },
    }),
  }
}

describe('toShallowRef', () => {
  it('follows a stream, leaves its values as they are, and ends with its scope', () => {
    const stream$ = new Subject<{ nested: object }>()
    const scope = effectScope()
    const value = scope.run(() => toShallowRef(stream$, { nested: {} }))
    const latest = { nested: {} }

    stream$.next(latest)

    expect(value?.value).toBe(latest)
    expect(isReactive(value?.value.nested)).toBe(false)
    expect(isReadonly(value)).toBe(true)
    expect(isShallow(value)).toBe(true)
    scope.stop()
    expect(stream$.observed).toBe(false)
  })

  it('hands an error to its handler, keeps the last value and lets nothing escape', () => {
    const stream$ = new Subject<number>()
    const onError = vi.fn<(error: unknown) => void>()
    const value = effectScope().run(() => toShallowRef(stream$, 0, { onError }))

    stream$.next(1)
    stream$.error('broken')

    expect(onError).toHaveBeenCalledExactlyOnceWith('broken')
    expect(value?.value).toBe(1)
    // Unhandled, RxJS would throw it in a timeout of its own, and the run would fail.
    effectScope().run(() =>
      toShallowRef(
        throwError(() => 'broken'),
        0,
      ),
    )
  })
})

describe('useSyncStatus', () => {
  it('shows the status of its entity', async () => {
    const { persistence, returned, text } = played(() => useSyncStatus('note', 'n1'), {
      render: ({ syncStatus }) => h('b', syncStatus.value ?? 'unknown'),
    })
    expect(text()).toBe('unknown')
    expect(returned.isSynced.value).toBe(false)

    persistence.say.metadata('note', 'n1', synced)
    await nextTick()

    expect(text()).toBe('synced')
    expect(returned.isSynced.value).toBe(true)
    expect(returned.metadata.value).toBe(synced)

    persistence.say.metadata('note', 'n1', { ...pending, error: { category: 'network', message: 'refused' } })
    expect(returned.isPending.value).toBe(true)
    expect(returned.error.value).toEqual({ category: 'network', message: 'refused' })
    persistence.say.metadata('note', 'n1', { ...pending, syncStatus: 'conflict' })
    expect(returned.hasConflict.value).toBe(true)
    persistence.say.metadata('note', 'n1', { ...pending, syncStatus: 'error' })
    expect(returned.hasError.value).toBe(true)
    persistence.say.metadata('note', 'n1', { ...pending, syncStatus: 'syncing' })
    expect(returned.isSyncing.value).toBe(true)
  })

  it('follows its id at once, and lets go of the entity before', () => {
    const id = ref('n1')
    const { app, persistence, returned } = played(() => useSyncStatus('note', () => id.value))
    persistence.say.metadata('note', 'n1', synced)
    persistence.say.metadata('note', 'n2', pending)
    expect(returned.syncStatus.value).toBe('synced')

    id.value = 'n2'
    expect(returned.syncStatus.value).toBe('pending')
    expect(persistence.observed()).toEqual(['metadata$(note/n2)'])

    persistence.silent('note', 'never heard of')
    id.value = 'never heard of'
    expect(returned.syncStatus.value).toBeUndefined()
    app.unmount()
    expect(persistence.observed()).toEqual([])
    id.value = 'n1'
    expect(persistence.observed()).toEqual([])
  })
})

describe('useOutbox', () => {
  it('counts what is not sent yet', () => {
    const { persistence, returned } = played(() => useOutbox())
    persistence.say.status({ pending: 1, processing: 2, waiting: 4, parked: 8, dead: 16 })

    expect(returned.status.value.dead).toBe(16)
    expect(returned.pending.value).toBe(1)
    expect(returned.processing.value).toBe(2)
    expect(returned.waiting.value).toBe(4)
    expect(returned.parked.value).toBe(8)
    expect(returned.unsent.value).toBe(15)
  })

  it('watches the queue only from its first read on, and until the component is gone', () => {
    const { app, persistence, returned } = played(() => useOutbox())
    expect(persistence.observed()).toEqual(['status$'])

    expect(returned.queue.value).toEqual([])
    expect(persistence.observed()).toEqual(['queue$', 'status$'])
    expect(returned.dead.value).toEqual([])
    expect(persistence.observed()).toEqual(['queue$', 'dead$', 'status$'])

    app.unmount()
    expect(persistence.observed()).toEqual([])
    expect(returned.queue.value).toEqual([])
    expect(persistence.observed()).toEqual([])
  })

  it('watches nothing that is read for the first time when the component is gone', () => {
    const warnings = vi.spyOn(console, 'warn')
    const { app, persistence, returned } = played(() => useOutbox())
    app.unmount()

    expect(returned.queue.value).toEqual([])
    expect(persistence.observed()).toEqual([])
    expect(warnings).not.toHaveBeenCalled()
    warnings.mockRestore()
  })

  it('keeps following the queue for whoever watches it', async () => {
    const { persistence, returned } = played(() => useOutbox())
    const lengths: number[] = []
    const stop = watch(
      () => returned.queue.value.length,
      (length) => lengths.push(length),
      { flush: 'sync', immediate: true },
    )
    persistence.say.queue(2)
    persistence.say.queue(1)
    stop()

    expect(lengths).toEqual([0, 2, 1])
  })

  it('hands out the commands of the Persistence', () => {
    const { persistence, returned } = played(() => useOutbox())
    const commands = ['pause', 'resume', 'flush', 'retry', 'discard', 'resolve', 'retryAll', 'discardAll'] as const
    for (const command of commands) {
      expect(returned[command]).toBe(persistence[command])
    }
  })
})
