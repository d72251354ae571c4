import { distinctUntilChanged, firstValueFrom, map, Subscription } from 'rxjs'
import type { Persistence, PersistenceMetadata, PersistenceTask } from 'rx-outbox'
import { shallowReactive } from 'vue'
import type { Entities } from '../entities.ts'

/** What is known of one entity's way to the server; `retryAt` in epoch ms, while it waits for it. */
export type SyncState = PersistenceMetadata & { retryAt?: number }
export type SyncStates = Map<string, SyncState>

export const createSyncStates = (): SyncStates => shallowReactive(new Map<string, SyncState>())

/** Takes back, for one entity type, what became of the events that a store emitted. */
export function followSync(
  entityType: keyof Entities,
  states: SyncStates,
  persistence: Pick<Persistence<Entities>, 'bus' | 'metadata' | 'status$'>,
): Subscription {
  const { bus, metadata, status$ } = persistence
  const following = new Subscription()
  const isOurs = (task: PersistenceTask) => task.entityType === entityType
  const setStatus = (task: PersistenceTask, syncStatus: SyncState['syncStatus']) => {
    const { retryCount, maxRetries } = task
    if (!isOurs(task)) return
    states.set(task.entityId, { ...states.get(task.entityId), syncStatus, retryCount, maxRetries, retryAt: undefined })
  }

  following.add(
    bus.on('queue:task-enqueued', ({ task }) => {
      // Behind one that is in flight or dead, the status of that is still what counts.
      const before = states.get(task.entityId)?.syncStatus
      const isBehind = task.retryOf === undefined && (before === 'syncing' || before === 'error')
      setStatus(task, isBehind ? before : 'pending')
    }),
  )
  following.add(bus.on('queue:task-processing', ({ task }) => setStatus(task, 'syncing')))
  following.add(
    bus.on('entity:persisted', (news) => {
      if (news.entityType !== entityType) return
      if (news.operation === 'delete') states.delete(news.id)
      else states.set(news.id, news.metadata)
    }),
  )
  following.add(
    bus.on('entity:conflict', (news) => {
      if (news.entityType === entityType) states.set(news.id, news.metadata)
    }),
  )
  following.add(
    bus.on('entity:expired', (news) => {
      if (news.entityType === entityType) states.set(news.id, news.metadata)
    }),
  )
  const ask = async (id: string) => {
    const left = await metadata(entityType, id)
    if (left) states.set(id, left)
    else states.delete(id)
  }
  following.add(
    bus.on('queue:task-discarded', async ({ task }) => {
      if (isOurs(task)) await ask(task.entityId)
    }),
  )
  // An attempt that a 401 or the network cut short costs nothing, and so ends without an event.
  const isIdle$ = status$.pipe(
    map(({ processing }) => processing === 0),
    distinctUntilChanged(),
  )
  following.add(
    isIdle$.subscribe((isIdle) => {
      if (isIdle) for (const [id, { syncStatus }] of states) if (syncStatus === 'syncing') void ask(id)
    }),
  )
  for (const failed of ['entity:persist-error', 'entity:update-error', 'entity:delete-error'] as const) {
    following.add(
      bus.on(failed, (news) => {
        if (news.entityType === entityType) states.set(news.id, { ...news.metadata, retryAt: news.retryAt })
      }),
    )
  }
  return following
}

/** What an earlier run of the app left behind; nothing that was learned since is overwritten. */
export async function recallSync(
  entityType: keyof Entities,
  states: SyncStates,
  { metadata, queue$ }: Pick<Persistence<Entities>, 'metadata' | 'queue$'>,
): Promise<void> {
  const recalled = await metadata(entityType)
  const retryAt = new Map<string, number | undefined>()
  for (const task of await firstValueFrom(queue$)) {
    if (task.entityType === entityType) retryAt.set(task.entityId, task.retryAt)
  }
  for (const [id, known] of recalled) {
    if (!states.has(id)) states.set(id, { ...known, retryAt: retryAt.get(id) })
  }
}
