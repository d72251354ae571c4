import type { Decision, Operation, ScriptConfig } from './script.ts'

/** What happened, as somebody outside of the library sees it. Everything the checker knows. */
export type HistoryEvent = Stamp & Happening

interface Stamp {
  /** Milliseconds of true time. */
  at: number
  /** What the clock on the wall says, epoch ms. */
  clock: number
}

/** `life`: one run of a tab. */
export type Happening =
  | { is: 'config'; config: ScriptConfig }
  | { is: 'open'; life: number; tab: number }
  | { is: 'crash'; life: number }
  | { is: 'closed' | 'freeze' | 'thaw' | 'stolen'; life: number }
  | { is: 'owner'; life: number; owner: string | null }
  /** The app said something of an entity: a task. */
  | ({ is: 'enq'; life: number; owner: string } & TaskNote)
  | { is: 'ack'; life: number; task: string }
  /** Refused; `late`: because the tab closed, so that it may have been stored. */
  | { is: 'nack'; life: number; task: string; late: boolean }
  /** The end a receipt told. */
  | { is: 'receipt'; life: number; task: string; status: string }
  /** A task made from a dead letter. */
  | { is: 'made'; life: number; task: string; from: string; expiresAt: number | undefined }
  | { is: 'settle'; life: number; task: string; status: string; by?: string; sent?: boolean; inDoubt: boolean }
  | { is: 'retrying'; life: number; task: string; retryAt: number }
  /** No end: somebody decides. */
  | { is: 'conflict'; life: number; task: string }
  /** What somebody decided, or `by: 'app'` offered to: it may come too late. `remote`: the event that the remote holds. */
  | { is: 'decision'; life: number; task: string; by: 'resolver' | 'app'; decision: Decision; remote: number | null }
  /** A dead letter was removed by hand. */
  | { is: 'removed'; life: number; task: string }
  | { is: 'append' | 'replace'; life: number; space: string; journal: string; tasks: string[] }
  | ({ is: 'send'; life: number; request: number; task: string; key: string; owner: string } & Body)
  | ({ is: 'apply'; task: string; key: string; owner: string; version: number } & Body)
  /** What the strategy was told. `applied`: by this request or an earlier one of its key. */
  | {
      is: 'answer'
      life: number
      request: number
      task: string
      status: number
      retryAfter?: number
      permanent?: true
      applied: boolean
      /** It is a conflict: which event the remote holds. */
      remote?: number | null
    }
  /** Somebody else wrote, or deleted. */
  | { is: 'other'; owner: string; entity: string; rev: number | null; version: number }
  /** It is asked for what was written after a version, and the strategy was told. */
  | { is: 'pull'; life: number; pull: number; owner: string; type: string; checkpoint: number }
  | { is: 'page'; life: number; pull: number; owner: string; type: string }
  /** The app is given rows; `took`: one is in its store, or it kept what it has; `taken`: it says that it is done, or threw. */
  | { is: 'given'; life: number; taking: number; owner: string; rows: RowNote[] }
  | ({ is: 'took'; life: number; taking: number; owner: string; kept: boolean } & RowNote)
  | { is: 'taken'; life: number; taking: number; owner: string; whole: boolean }
  /** What the app's store has in the end. */
  | { is: 'shown'; owner: string; rows: [entity: string, rev: number][] }
  /** The strategy gave up on a request: its signal was aborted. */
  | { is: 'aborted'; life: number; request: number }
  | { is: 'reconcile'; life: number; task: string; key: string; answer: 'applied' | 'not applied' | 'unknown' }
  | { is: 'command'; life: number; name: string; entityType?: string }
  | { is: 'network'; online: boolean }
  | { is: 'clock jump'; by: number }
  /** A call of the store went wrong, or is late. */
  | { is: 'store fault'; life: number }
  | { is: 'wipe' }
  /** What was acknowledged later than `since` may be lost. */
  | { is: 'power cut'; since: number }
  | { is: 'error'; life: number; name: string; message: string }
  | { is: 'storage lost' | 'storage recovered' | 'storage degraded'; life: number }
  | { is: 'calm' }
  | { is: 'late'; life: number; what: string }
  /** What a tab shows of an owner's outbox after everything has calmed down. */
  | {
      is: 'final'
      life: number
      owner: string
      again: boolean
      live: number
      parked: number
      dead: { task: string; inDoubt: boolean }[]
    }
  | { is: 'rows'; owner: string; rows: [entity: string, rev: number][] }
  | { is: 'stuck'; life: number; owner: string; status: string }
  | { is: 'leak'; life: number; what: string }

/** `rev`: null for a row that was deleted. */
export interface RowNote {
  entity: string
  rev: number | null
  version: number | null
}

export interface TaskNote extends Body {
  task: string
  dependsOn: string[]
  expiresAt: number | undefined
}

/** What a request says: `rev` is that of the event, 0 for a delete. */
export interface Body {
  entity: string
  operation: Operation
  rev: number
  /** The event of somebody else that was merged into it. */
  merged?: number
}
