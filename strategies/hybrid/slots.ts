import type { AttemptContext, PersistReceipt } from 'rx-outbox'
import type { Leg } from './legs.ts'

type Role = Omit<Leg<unknown>, 'strategy'>

/** What `attempt.saveProgress` keeps of a task, by the names of the legs. */
interface Stored {
  /** Who confirmed; its backend id and version, where they count. */
  done: ReadonlyMap<string, PersistReceipt>
  /** What each leg saved itself. */
  legs: ReadonlyMap<string, unknown>
  /** Who was about to be asked. */
  at?: string
}

/** The progress of one attempt: what is done, and a slot for each leg. */
export interface Slots {
  done: (name: string) => PersistReceipt | undefined
  at: () => string | undefined
  /** Resolves when it is stored. */
  confirm: (leg: Role, receipt: PersistReceipt) => Promise<void>
  /** Resolves when it is stored. */
  goTo: (name: string | undefined) => Promise<void>
  contextOf: (leg: Role, signal: AbortSignal) => AttemptContext
}

export function slotsOf(attempt: AttemptContext): Slots {
  let stored: Stored = isStored(attempt.progress) ? attempt.progress : { done: new Map(), legs: new Map() }

  function save(next: Stored): Promise<void> {
    stored = next
    return attempt.saveProgress(next)
  }

  function own(leg: Role, signal: AbortSignal): Pick<AttemptContext, 'signal' | 'progress' | 'saveProgress'> {
    return {
      signal,
      progress: stored.legs.get(leg.name),
      async saveProgress(value) {
        // Whoever was given up on has nothing to say of a task that may have ended.
        signal.throwIfAborted()
        await save({ ...stored, legs: new Map(stored.legs).set(leg.name, value) })
      },
    }
  }

  return {
    done: (name) => stored.done.get(name),
    at: () => stored.at,
    confirm({ name, counts }, { backendId, version, syncedAt }) {
      const kept = counts ? { backendId, version, syncedAt } : {}
      const legs = new Map(stored.legs)
      legs.delete(name)
      return save({ ...stored, legs, done: new Map(stored.done).set(name, kept) })
    },
    goTo(name) {
      const { at: _, ...rest } = stored
      return save(name === undefined ? rest : { ...rest, at: name })
    },
    contextOf(leg, signal) {
      const key = leg.ownKey ? `${attempt.idempotencyKey}.${leg.name}` : attempt.idempotencyKey
      const context = { ...attempt, ...own(leg, signal), idempotencyKey: key }
      if (leg.counts) return context
      const { backendId: _id, version: _version, ...foreign } = context
      return { ...foreign, backendIdOf: () => undefined }
    },
  }
}

/** What another strategy saved before this one took its place says nothing of legs. */
function isStored(value: unknown): value is Stored {
  if (typeof value !== 'object' || value === null || !('done' in value) || !('legs' in value)) return false
  return value.done instanceof Map && value.legs instanceof Map
}
