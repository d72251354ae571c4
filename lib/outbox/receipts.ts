import type { Receipt, Settled } from '../types.ts'

/** A receipt, and how the outbox fills it in. */
export interface OpenReceipt extends Receipt {
  stored: () => void
  notStored: (error: unknown) => void
}

/** What became of the tasks that the app holds receipts of. */
export interface Receipts {
  open: (taskId: string) => OpenReceipt
  has: (taskId: string) => boolean
  settle: (taskId: string, end: Settled) => void
  /** The receipts of a task go on as those of the task that superseded it. */
  follow: (taskId: string, supersededBy: string) => void
  /** The library closes: what is still open ends here. */
  close: (error: unknown) => void
}

export function createReceipts(): Receipts {
  const waiting = new Map<string, { settle: (end: Settled) => void; notStored: (error: unknown) => void }[]>()

  function settle(taskId: string, end: Settled): void {
    const receipts = waiting.get(taskId)
    waiting.delete(taskId)
    for (const receipt of receipts ?? []) receipt.settle(end)
  }

  return {
    has: (taskId) => waiting.size > 0 && waiting.has(taskId),
    settle,
    open(taskId) {
      let stored: () => void = () => undefined
      let reject: (error: unknown) => void = () => undefined
      const durable = new Promise<void>((resolve, refuse) => {
        stored = resolve
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
      return { taskId, durable, settled, stored, notStored }
    },
    follow(taskId, supersededBy) {
      const receipts = waiting.get(taskId)
      if (!receipts) return
      waiting.delete(taskId)
      // The longer list takes the other in: a chain of thousands stays linear.
      receipts.push(...(waiting.get(supersededBy) ?? []))
      waiting.set(supersededBy, receipts)
    },
    close(error) {
      for (const [taskId, receipts] of waiting) {
        for (const { notStored } of receipts) notStored(error)
        settle(taskId, { status: 'closed' })
      }
    },
  }
}
