import { BehaviorSubject, Subject, type Observable } from 'rxjs'
import type { Persistence } from '../../lib/api.ts'
import { openingStatus } from '../../lib/status.ts'
import { inertPersistence } from '../../lib/composables/inertPersistence.ts'
import type { OutboxStatus, PersistenceMetadata, PersistenceTask, TaskResult } from '../../lib/types.ts'

/** A Persistence whose streams a test drives by hand, and whose subscribers it can count. */
export interface FakePersistence extends Persistence<Record<string, unknown>> {
  say: {
    status: (change: Partial<OutboxStatus>) => void
    /** Shows a queue of that many tasks. */
    queue: (length: number) => void
    metadata: (entityType: string, id: string, metadata: PersistenceMetadata | undefined) => void
  }
  /** Makes `metadata$` say nothing of an entity, as while it is not known yet. */
  silent: (entityType: string, id: string) => void
  /** The streams that somebody listens to. */
  observed: () => string[]
  closed: () => boolean
}

export function fakePersistence(): FakePersistence {
  const status$ = new BehaviorSubject<OutboxStatus>({ ...openingStatus, phase: 'running' })
  const queue$ = new BehaviorSubject<readonly PersistenceTask[]>([])
  const entities = new Map<string, Subject<PersistenceMetadata | undefined>>()
  const subjects: Record<string, Subject<unknown> | BehaviorSubject<OutboxStatus>> = {}
  const held = <T>(name: string, subject: Subject<T>): Observable<T> => {
    Reflect.set(subjects, name, subject)
    return subject.asObservable()
  }
  const metadataOf = (entityType: string, id: string) => {
    const key = `${entityType}/${id}`
    const known = entities.get(key) ?? new BehaviorSubject<PersistenceMetadata | undefined>(undefined)
    entities.set(key, known)
    return known
  }
  let closed = false
  return {
    ...inertPersistence(),
    results$: held('results$', new Subject<TaskResult>()),
    queue$: held('queue$', queue$),
    dead$: held('dead$', new BehaviorSubject<readonly PersistenceTask[]>([])),
    status$: held('status$', status$),
    errors$: held('errors$', new Subject<unknown>()),
    metadata$: (entityType, id) => metadataOf(entityType, id).asObservable(),
    close: async () => {
      closed = true
      for (const subject of [...Object.values(subjects), ...entities.values()]) subject.complete()
    },
    say: {
      status: (change) => status$.next({ ...status$.value, ...change }),
      queue: (length) => queue$.next(Array.from({ length }, (_, i) => waitingTask(`t${i}`))),
      metadata: (entityType, id, metadata) => metadataOf(entityType, id).next(metadata),
    },
    silent: (entityType, id) => entities.set(`${entityType}/${id}`, new Subject()),
    observed: () => [
      ...Object.entries(subjects).flatMap(([name, subject]) => (subject.observed ? [name] : [])),
      ...[...entities].flatMap(([key, subject]) => (subject.observed ? [`metadata$(${key})`] : [])),
    ],
    closed: () => closed,
  }
}

function waitingTask(id: string): PersistenceTask {
  return {
    id,
    owner: '',
    entityType: 'note',
    entityId: id,
    operation: 'create',
    priority: 0,
    createdAt: 0,
    retryCount: 0,
    maxRetries: 3,
    idempotencyKey: id,
    schemaVersion: 1,
  }
}
