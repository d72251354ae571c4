import type { Receipt, Settled } from '../types.ts'

/** Where a task was stored first: in which journal, and by which lsn. */
export interface StoredAt {
  journal: string
  lsn: number
}

/** A receipt, and how the outbox fills it in. */
export interface OpenReceipt extends Receipt {
  stored: (at: StoredAt) => void
  notStored: (error: unknown) => void
}

/** What became of the tasks that the app holds receipts of. */
export interface Receipts {
  open: (taskId: string) => OpenReceipt
  has: (taskId: string) => boolean
  settle: (taskId: string, end: Settled) => void
  /** The receipts of a task go on as those of the task that superseded it. */
  follow: (taskId: string, supersededBy: string) => void
  /** A journal was read anew: what was taken into it and is not `alive` any more has ended, and nobody saw how. */
  forget: (alive: Iterable<{ id: string }>, isTakenIn: (at: StoredAt) => boolean) => void
  /** The library closes: what is still open ends here. */
  close: (error: unknown) => void
}

export function createReceipts(): Receipts {
  const waiting = new Map<string, { settle: (end: Settled) => void; notStored: (error: unknown) => void }[]>()
  /** Those of them that are stored. */
  const stored = new Map<string, StoredAt>()

  function settle(taskId: string, end: Settled): void {
    const receipts = waiting.get(taskId)
    waiting.delete(taskId)
    stored.delete(taskId)
    for (const receipt of receipts ?? []) receipt.settle(end)
  }

  return {
    has: (taskId) => waiting.size > 0 && waiting.has(taskId),
    settle,
    open(taskId) {
      let resolveDurable: () => void = () => undefined
      let reject: (error: unknown) => void = () => undefined
      const durable = new Promise<void>((resolve, refuse) => {
        resolveDurable = resolve
        reject = refuse
      })
      // Nobody has to look at it.
      durable.catch(() => undefined)
      let resolveSettled: (end: Settled) => void = () => undefined
      const settled = new Promise<Settled>((resolve) => (resolveSettled = resolve))
      const notStored = (error: unknown) => {
        reject(error)
        settle(taskId, { status: 'not-stored' })
      }
      waiting.set(taskId, [{ settle: resolveSettled, notStored: reject }])
      return {
        taskId,
        durable,
        settled,
        stored(at) {
          if (waiting.has(taskId)) stored.set(taskId, at)
          resolveDurable()
        },
        notStored,
      }
    },
    follow(taskId, supersededBy) {
      const receipts = waiting.get(taskId)
      if (!receipts) return
      waiting.delete(taskId)
      stored.delete(taskId)
      // The longer list takes the other in: a chain of thousands stays linear.
      receipts.push(...(waiting.get(supersededBy) ?? []))
      waiting.set(supersededBy, receipts)
    },
    forget(alive, isTakenIn) {
      if (stored.size === 0) return
      const gone = new Map(stored)
      for (const { id } of alive) gone.delete(id)
      for (const [taskId, at] of gone) if (isTakenIn(at)) settle(taskId, { status: 'unseen' })
    },
    close(error) {
      for (const [taskId, receipts] of waiting) {
        for (const { notStored } of receipts) notStored(error)
        settle(taskId, { status: 'closed' })
      }
    },
  }
}
