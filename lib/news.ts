import type { Subject } from 'rxjs'
import type { EventBus } from './api.ts'
import type { Entry } from './outbox/lane.ts'
import type { Fact, ToldEnd } from './outbox/facts.ts'
import type { Receipts } from './outbox/receipts.ts'
import type { Views } from './sync/metadata.ts'
import type { EntityConflictNews, EntityErrorNews, EntityNews } from './events.ts'
import { isAsked } from './outbox/attempted.ts'
import type { PersistenceMetadata, TaskResult } from './types.ts'

type Untyped = Record<string, unknown>
type Bus = Pick<EventBus<Untyped>, 'emit'>

const errorEvents = {
  create: 'entity:persist-error',
  update: 'entity:update-error',
  delete: 'entity:delete-error',
} as const
const begins = { enqueued: 'queue:task-enqueued', processing: 'queue:task-processing' } as const
const taskEvents = {
  persisted: 'queue:task-completed',
  retrying: 'queue:task-retrying',
  failed: 'queue:task-failed',
  expired: 'queue:task-expired',
  superseded: 'queue:task-superseded',
  discarded: 'queue:task-discarded',
} as const

export interface NewsConfig {
  bus: Bus
  /** Whether anybody listens to an event of the bus. */
  isHeard: (name: string) => boolean
  results$: Subject<TaskResult>
  receipts: Receipts
  views: Views
}

const nothing: PersistenceMetadata = Object.freeze({ syncStatus: 'synced', retryCount: 0, maxRetries: 0 })

/** Tells receipts, `results$` and the bus what the outbox says. What nobody listens to is not made. */
export function createNews({ bus, isHeard, results$, receipts, views }: NewsConfig): (fact: Fact) => void {
  const { task, metadata, conflict } = views

  function tellTask(
    name: (typeof taskEvents)[keyof typeof taskEvents] | 'queue:task-enqueued' | 'queue:task-processing',
    entry: Entry,
  ): void {
    if (isHeard(name)) bus.emit(name, Object.freeze({ task: task(entry) }))
  }

  function entityNews(entry: Entry): EntityNews<Untyped> {
    const { lane, operation, id: taskId } = entry
    const { data } = task(entry)
    const news = {
      entityType: lane.entityType,
      id: lane.entityId,
      operation,
      taskId,
      metadata: metadata(lane) ?? nothing,
    }
    return data === undefined ? news : { ...news, data }
  }

  function tellConflict(entry: Entry): void {
    if (!isAsked(entry) || !isHeard('entity:conflict')) return
    const news: EntityConflictNews<Untyped> = { ...conflict(entry), metadata: metadata(entry.lane) ?? nothing }
    bus.emit('entity:conflict', Object.freeze(news))
  }

  function tellEntity(entry: Entry, end: ToldEnd): void {
    if (end.status === 'conflict') tellConflict(entry)
    if (end.status === 'persisted' || end.status === 'expired') {
      const name = `entity:${end.status}` as const
      if (isHeard(name)) bus.emit(name, Object.freeze(entityNews(entry)))
    }
    if (end.status !== 'failed' && end.status !== 'retrying') return
    const name = errorEvents[entry.operation]
    if (!isHeard(name)) return
    const { error = { category: 'unknown', message: '' } } = end
    const retry = end.status === 'retrying' ? { willRetry: true, retryAt: end.retryAt } : { willRetry: false }
    const news: EntityErrorNews<Untyped> = { ...entityNews(entry), error, ...retry }
    bus.emit(name, Object.freeze(news))
  }

  function resultOf(entry: Entry, end: ToldEnd): TaskResult {
    const { lane, operation, id: taskId } = entry
    const { entityType, entityId: id } = lane
    const shown = metadata(lane) ?? nothing
    const about = { taskId, entityType, id, operation, task: task(entry), metadata: shown }
    return Object.freeze(
      end.status === 'conflict' ? { ...about, ...end, conflict: conflict(entry) } : { ...about, ...end },
    )
  }

  function tellResult(entry: Entry, end: ToldEnd): void {
    const isAwaited = receipts.has(entry.id)
    if (!results$.observed && !isAwaited) return
    const result = resultOf(entry, end)
    if (result.status === 'superseded' && entry.lane.queue.some(({ id }) => id === result.supersededBy)) {
      receipts.follow(entry.id, result.supersededBy)
    } else if (result.status !== 'retrying' && result.status !== 'conflict') receipts.settle(entry.id, result)
    results$.next(result)
  }

  return (fact) => {
    const { entry } = fact
    if (fact.is !== 'ended') return tellTask(begins[fact.is], entry)
    if (fact.removed) return tellTask('queue:task-discarded', entry)
    tellResult(entry, fact.end)
    tellEntity(entry, fact.end)
    if (fact.end.status !== 'conflict') tellTask(taskEvents[fact.end.status], entry)
  }
}
