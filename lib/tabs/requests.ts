import type { ControlName, Controls } from '../controls.ts'
import { ClosedError, PersistenceError } from '../errors.ts'
import type { Command } from '../storage/records.ts'
import { encodeValue } from '../storage/value.ts'

/** The journal in which commands are kept. */
export interface RequestBook {
  stamp: () => { lsn: number; epoch: number }
  write: (record: Command) => Promise<void>
  /** The task that a retry of this one made, as far as it is known here. */
  retryOf: (taskId: string) => string | undefined
}

/** A follower's commands: kept in its journal until a leader has carried them out, also across a change of leaders. */
export interface Requests {
  controls: Controls
  /** From now on commands go here. */
  open: (book: RequestBook) => void
  /** Those that nobody has carried out yet. */
  records: () => Command[]
  /** A leader has carried one out, with or without success. */
  done: (command: number, result: { taskId?: string; error?: string }) => void
  /** All up to this lsn were carried out, even if nobody said so. */
  imported: (upTo: number) => void
  /** The tab that leads has gone: what it was about to answer is lost. */
  leaderLeft: () => void
  close: () => void
}

/** What a command is about. */
type Subject = Pick<Command, 'task' | 'entityType' | 'data'>

interface Asked {
  record: Command
  resolve: (taskId: string) => void
  reject: (error: unknown) => void
}

export function createRequests(): Requests {
  const asked = new Map<number, Asked>()
  /** Pulls that a leader has begun. */
  const pulling = new Set<number>()
  let book: RequestBook | undefined

  function ask(name: ControlName, subject: Subject = {}): Promise<string> {
    return new Promise((resolve, reject) => {
      if (!book) throw new ClosedError('The outbox is closed.')
      const record: Command = { kind: 'command', ...book.stamp(), name, ...subject }
      asked.set(record.lsn, { record, resolve, reject })
      book.write(record).catch((error: unknown) => {
        asked.delete(record.lsn)
        reject(error)
      })
    })
  }

  async function tell(name: ControlName, subject?: Subject): Promise<void> {
    await ask(name, subject)
  }

  function done(command: number, { taskId, error }: { taskId?: string; error?: string }): void {
    const one = asked.get(command)
    if (!one) return
    asked.delete(command)
    pulling.delete(command)
    if (error === undefined) one.resolve(taskId ?? '')
    else one.reject(new PersistenceError(error))
  }

  return {
    controls: {
      retry: (task) => ask('retry', { task }),
      discard: (task) => tell('discard', { task }),
      resolve: async (task, resolution) => tell('resolve', { task, data: encodeValue(resolution, 'resolution') }),
      retryAll: () => tell('retryAll'),
      discardAll: () => tell('discardAll'),
      flush: () => tell('flush'),
      pause: () => tell('pause'),
      resume: () => tell('resume'),
      authorized: (entityType) => tell('authorized', { entityType }),
      pull: (entityType) => tell('pull', entityType === undefined ? {} : { entityType }),
    },
    open(next) {
      book = next
    },
    records: () => Array.from(asked.values(), ({ record }) => record),
    done,
    imported(upTo) {
      for (const [command, { record }] of asked) {
        if (command > upTo) continue
        // That it was taken in says nothing: the leader says when it is done.
        if (record.name === 'pull') {
          pulling.add(command)
          continue
        }
        const taskId = record.task === undefined ? undefined : book?.retryOf(record.task)
        done(command, taskId === undefined ? {} : { taskId })
      }
    },
    leaderLeft() {
      for (const command of pulling)
        done(command, { error: 'The tab that pulled has gone; the one that leads now pulls anew.' })
    },
    close() {
      book = undefined
      const error = new ClosedError('The outbox was closed before the command was carried out.')
      for (const { reject } of asked.values()) reject(error)
      asked.clear()
    },
  }
}
