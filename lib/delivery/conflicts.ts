import { defer, of, Subscription } from 'rxjs'
import { classify, isPersistenceError, PersistenceError } from '../errors.ts'
import { nextDelay } from '../operators/nextDelay.ts'
import type { Entry, Lane, Row } from '../outbox/lane.ts'
import { agreedOn, isStale, type Merges, remoteOf } from '../outbox/rows.ts'
import type { Outbox } from '../outbox/outbox.ts'
import { present } from '../outbox/snapshot.ts'
import type { Retry } from '../storage/records.ts'
import { encodeValue } from '../storage/value.ts'
import { isResolution } from '../isResolution.ts'
import type { Resolutions } from '../sync/resolutions.ts'
import { sameText } from '../sync/sameValue.ts'
import type { Conflict, ConflictResolver } from '../conflict.ts'
import type { RetryConfig, TaskError } from '../types.ts'
import { answer } from './answer.ts'
import type { Deadlines } from './deadlines.ts'

export interface ConflictsConfig {
  outbox: Outbox
  resolutions: Resolutions
  conflictOf: (entry: Entry) => Conflict
  resolverOf: (entityType: string) => ConflictResolver | undefined
  deadlines: Deadlines
  retryConfigOf: (entityType: string) => RetryConfig
  merges: Merges
  jitter: number
  random: () => number
  now: () => number
  /** Calls back as soon as it is known that this tab still leads; never, where it does not. */
  whenLeading: (act: () => void) => void
  /** Somebody may be able to go now. */
  wake: () => void
  trouble: (error: unknown) => void
}

/** What became of an attempt that was refused. */
type Refusal = Pick<Retry, 'retryCount' | 'retryAt' | 'error'>

/** Has conflicts decided: by what both sides hold, by the app's resolver, or by asking. Their lanes wait meanwhile. */
export interface Conflicts {
  /** A task is about to go, and the remote holds another row than it was made on. */
  meet: (entry: Entry) => void
  /** An attempt was refused. False where it is not known what the remote holds, or it was in vain too often. */
  refused: (entry: Entry, error: TaskError, thrown: unknown) => boolean
  /** How many are being decided. */
  readonly open: number
  close: () => void
}

const stale: TaskError = { category: 'conflict', message: 'The remote was changed, too.' }

export function createConflicts(config: ConflictsConfig): Conflicts {
  const { outbox, resolutions, conflictOf, resolverOf, trouble } = config
  const open = new Set<Lane>()
  const deciding = new Subscription()

  function decide(entry: Entry, refusal?: Refusal): void {
    const { lane } = entry
    const { base } = lane
    outbox.hold(lane)
    open.add(lane)
    function settle(said: unknown): void {
      config.whenLeading(() => {
        if (deciding.closed) return
        open.delete(lane)
        // Where anything has changed meanwhile, there is another conflict, or none.
        if (entry.state === 'waiting' && lane.queue[0] === entry && lane.base === base) act(entry, said, refusal)
        outbox.letGo(lane)
        config.wake()
      })
    }
    const known = withoutAsking(entry)
    if (known) return settle(known)
    let said: unknown
    deciding.add(
      answer(() => answered(entry), config.deadlines).subscribe({
        next: (value) => (said = value),
        error: (error: unknown) => (trouble(failure(entry, error)), settle('ask')),
        complete: () => settle(said),
      }),
    )
  }

  /** Synchronously, where the resolver answers so. */
  function answered(entry: Entry) {
    const resolver = resolverOf(entry.lane.entityType)
    const said = resolver ? resolver(conflictOf(entry)) : 'ask'
    return typeof said === 'object' && 'then' in said ? defer(() => said) : of(said)
  }

  function act(entry: Entry, said: unknown, refusal: Refusal | undefined): void {
    const error = refusal?.error ?? stale
    if (said === 'agreed') {
      const { version } = remoteOf(entry.lane) ?? {}
      return outbox.persisted(entry, present({ version }), entry.mark !== undefined)
    }
    if (isResolution(said)) {
      if (refusal) outbox.refuse(entry, error)
      try {
        return resolutions.settle(entry, said, refusal)
      } catch (cause) {
        trouble(failure(entry, cause))
      }
    } else if (said !== 'ask')
      trouble(failure(entry, new TypeError(`It has to answer local, remote, { merged } or ask.`)))
    outbox.ask(entry, error)
  }

  return {
    meet: (entry) => decide(entry),
    refused(entry, error, thrown) {
      const { lane, retryCount } = entry
      const row = rowOf(thrown, lane.entityType) ?? (isStale(entry, config.merges) ? lane.base : undefined)
      const retryConfig = config.retryConfigOf(lane.entityType)
      const isAgain = entry.error?.category === 'conflict'
      if (!row || (isAgain && retryCount >= retryConfig.maxRetries)) return false
      const about = { entityType: lane.entityType, entityId: lane.entityId }
      outbox.note({ kind: 'base', ...outbox.stamp(), ...about, ...present(row) })
      // The first is answered at once. Who is refused again and again has to wait longer and longer.
      const count = isAgain ? retryCount + 1 : retryCount
      const delay = isAgain ? Math.max(1, nextDelay(count, retryConfig, config.jitter, config.random)) : 0
      outbox.hold(lane)
      // It is known what the remote holds now, and that it will not be sent again as it is.
      entry.inDoubt = false
      outbox.giveBack(entry, error)
      outbox.joinBehind(entry)
      const head = lane.queue[0]
      if (head) decide(head, { retryCount: count, retryAt: isAgain ? config.now() + delay : 0, error })
      return true
    },
    get open() {
      return open.size
    },
    close: () => deciding.unsubscribe(),
  }
}

/** What needs no decision, since one side did nothing, or both did the same. */
function withoutAsking(entry: Entry): 'agreed' | 'local' | 'remote' | undefined {
  const [base, remote] = [agreedOn(entry), remoteOf(entry.lane)?.data]
  if (sameText(entry.data, remote)) return 'agreed'
  if (base === undefined) return undefined
  if (sameText(base, remote)) return 'local'
  return sameText(base, entry.data) ? 'remote' : undefined
}

function failure({ lane: { entityType, entityId } }: Entry, cause: unknown): PersistenceError {
  const message = `The conflict of ${entityType} ${entityId} could not be resolved, so the app is asked: ${classify(cause).message}`
  return new PersistenceError(message, { cause })
}

/** What the remote holds, as far as the error says so and it can be stored. */
function rowOf(thrown: unknown, entityType: string): Row | undefined {
  if (!isPersistenceError(thrown) || thrown.remote === undefined) return undefined
  const { remote, version } = thrown
  try {
    return {
      version: isVersion(version) ? version : undefined,
      data: remote === null ? undefined : encodeValue(remote, entityType),
    }
  } catch {
    return undefined
  }
}

function isVersion(version: unknown): version is string | number {
  return typeof version === 'string' || Number.isFinite(version)
}
