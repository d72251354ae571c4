import { from, type Observable, Subject, Subscription, throwError } from 'rxjs'
import { PersistenceError } from './errors.ts'
import type { EntityEvent, EntityOperators } from './events.ts'

export interface PipelinesConfig {
  operatorsOf: (entityType: string) => EntityOperators<unknown> | undefined
  /** Takes in what comes out of a pipeline. */
  accept: (event: EntityEvent) => void
  trouble: (error: unknown) => void
}

/** The `events` operators of each type, between the bus and the outbox. */
export interface Pipelines {
  has: (entityType: string) => boolean
  push: (event: EntityEvent) => void
  /** No more events come: what an operator holds back is let out. */
  close: () => void
}

export function createPipelines({ operatorsOf, accept, trouble }: PipelinesConfig): Pipelines {
  const open = new Map<string, Subject<EntityEvent>>()
  const held = new Subscription()
  let closing = false
  /** The event that is in a pipeline right now, and whether anything came out for it. */
  let current: { event: EntityEvent; passed: boolean } | undefined

  function pipeline(entityType: string): Subject<EntityEvent> {
    const known = open.get(entityType)
    if (known) return known
    const input$ = new Subject<EntityEvent>()
    const operator = operatorsOf(entityType)?.events
    const broken = (cause: unknown) => {
      if (closing) return
      open.delete(entityType)
      trouble(new PersistenceError(`The events operator of ${entityType} ended; it is built anew.`, { cause }))
      if (current && !current.passed) accept(current.event)
    }
    open.set(entityType, input$)
    held.add(
      built(input$, operator).subscribe({
        next: (event) => {
          if (current) current.passed = true
          try {
            accept(event)
          } catch (error) {
            trouble(error)
          }
        },
        error: broken,
        complete: () => broken(undefined),
      }),
    )
    return input$
  }

  return {
    has: (entityType) => operatorsOf(entityType)?.events !== undefined,
    push(event) {
      const outer = current
      current = { event, passed: false }
      try {
        pipeline(event.entityType).next(event)
      } finally {
        current = outer
      }
    },
    close() {
      closing = true
      for (const input$ of open.values()) input$.complete()
      held.unsubscribe()
    },
  }
}

/** An operator that throws while it is applied, or gives no Observable, is one that breaks at its first event. */
function built(input$: Subject<EntityEvent>, operator: EntityOperators<unknown>['events']): Observable<EntityEvent> {
  try {
    return operator ? from(input$.pipe(operator)) : input$
  } catch (error) {
    return throwError(() => error)
  }
}
