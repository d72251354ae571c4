import { defer, EMPTY, type SchedulerLike, type Subscription } from 'rxjs'
import { retryAfterOf } from '../delivery/retryAfterOf.ts'
import { classify, isPermanentError, toLegible } from '../errors.ts'
import type { PersistenceStrategy } from '../types.ts'
import type { PullerConfig } from './puller.ts'
import type { ReadRow, Row } from './readRow.ts'
import { createTurns, type Turn } from './turns.ts'

export interface LiveConfig extends Pick<
  PullerConfig,
  | 'entityType'
  | 'mayGo'
  | 'isOnline'
  | 'isAuthorized'
  | 'authRequired'
  | 'maxRetryAfter'
  | 'random'
  | 'jitter'
  | 'trouble'
> {
  strategy: Pick<PersistenceStrategy<unknown>, 'changes$'>
  scheduler: SchedulerLike
  read: ReadRow
  /** It is listened to from now on: what came before has to be asked for. */
  began: () => void
  incoming: (rows: readonly Row[]) => void
  hint: () => void
}

/** Listens to `changes$` while it may, and after an error again. */
export interface Live {
  /** What gates it may have changed. */
  wake: () => void
  begin: () => void
  end: () => void
}

export function createLive(config: LiveConfig): Live {
  const { entityType, strategy, read, trouble } = config
  let listening: Subscription | undefined
  let hasCompleted = false
  let ended: ((how: Turn) => void) | undefined

  const mayListen = () => config.mayGo() && config.isAuthorized()
  const turns = createTurns({ ...config, hasWork: () => !hasCompleted && mayListen(), work: listen })

  /** Ends with the first error, or when it may no longer be listened to. */
  function listen(): Promise<Turn> {
    return new Promise((resolve) => {
      let worked = false
      ended = resolve
      config.began()
      listening = defer(() => strategy.changes$ ?? EMPTY).subscribe({
        next(change) {
          worked = true
          hear(change)
        },
        complete: () => ((hasCompleted = true), stop()),
        error(thrown) {
          const error = toLegible(thrown)
          const isSignedOut = classify(error).category === 'auth' && !isPermanentError(error)
          if (isSignedOut) config.authRequired()
          else if (config.isOnline()) trouble(error)
          resolve({ pause: !isSignedOut, atLeast: retryAfterOf(error, config.maxRetryAfter), worked })
        },
      })
    })
  }

  function hear(change: unknown): void {
    try {
      if (typeof change === 'object' && change !== null && Reflect.get(change, 'hint') === true) config.hint()
      else config.incoming([read(change, `${entityType} (live)`)])
    } catch (error) {
      // What it was about can be asked for, where the strategy can be asked.
      trouble(error)
      config.hint()
    }
  }

  function stop(): void {
    listening?.unsubscribe()
    listening = undefined
    ended?.({ pause: false })
    ended = undefined
  }

  return {
    wake() {
      if (listening && !mayListen()) stop()
      else turns.kick()
    },
    begin: turns.begin,
    end() {
      turns.end()
      stop()
    },
  }
}
