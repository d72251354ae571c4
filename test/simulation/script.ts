/** Everything that decides how a simulated life goes: drawn from a seed, or written by hand. Plain data, so that it can be printed and shrunk. */
export interface Script {
  seed: number
  config: ScriptConfig
  /** What happens, one after the other. */
  actions: Action[]
  /** What becomes of the requests, in the order in which they are sent; behind the last one the weather is fine. */
  weather: Weather[]
  /** What becomes of some calls of the store, by their number. */
  stores: [call: number, fate: StoreFate][]
  /** Yield points at which the tab that reaches one dies. */
  crashes: Crash[]
  /** What becomes of some pages that are asked for, and of some calls of `apply`, by their number. */
  pages: [request: number, fate: PageFate][]
  takings: [call: number, fate: TakingFate][]
}

export interface ScriptConfig {
  tabs: number
  owners: number
  concurrency: number
  maxOvertakes: number
  quiet: number
  breaker: false | { failures: number; delay: number; maxDelay: number }
  retry: { maxRetries: number; initialDelay: number; multiplier: number; maxDelay: number }
  jitter: number
  attemptTimeout: number
  maxRetryAfter: number
  /** Milliseconds for which the server remembers keys. */
  keyWindow: number
  /** Whether it can be asked what it applied. */
  reconcile: false | 'knows' | 'unknown'
  durability: 'relaxed' | 'strict'
  /** Milliseconds until what was appended is on the disk for good. */
  flushAfter: number
  /** The longest a call of the store or of the locks takes, ms; 0: everything at once. */
  latency: number
  /** The longest a message between tabs takes, ms, and how many of a hundred are lost. */
  channel: { latency: number; lost: number }
  /** Milliseconds after which a silent leader is replaced. */
  leaderTimeout: number
  /** Whether the journal is mirrored beside the store. */
  mirror: boolean
  /** In the end all dead letters are tried again; else they have to be there. */
  retryDead: boolean
  /** Who decides about conflicts first; `none`: the app names nobody, and is asked. */
  resolver: 'none' | 'ask' | 'localWins' | 'remoteWins' | 'merge'
  /** What the app says in the end to what it was asked, in which tab, and whether only after a new start. */
  answer: { is: Decision; tab: number; afterRestart: boolean }
  /** Whether it brings in what others changed; rows of a page, ms between two pulls. */
  pull: false | { limit: number; interval: number | false }
}

/** How somebody decides a conflict; a merge with nothing is what is here. */
export type Decision = 'local' | 'remote' | 'merged'

export type Operation = 'create' | 'update' | 'delete'

/** `after`: milliseconds since the action before. */
export type Action = { after: number } & Deed

export type Deed =
  | { does: 'save'; tab: number; entity: number; priority: number; dependsOn: number[]; maxAge?: number }
  | { does: 'remove'; tab: number; entity: number; priority: number; dependsOn: number[] }
  | { does: 'retry' | 'discard'; tab: number; pick: number }
  | { does: 'resolve'; tab: number; pick: number; answer: Decision }
  /** Somebody else, with another app. */
  | { does: 'other saves' | 'other removes'; owner: number; entity: number }
  | { does: 'pull'; tab: number }
  | { does: 'retryAll' | 'discardAll' | 'pause' | 'resume' | 'authorized' | 'flush' | 'idle'; tab: number }
  | { does: 'owner'; tab: number; owner: number | null }
  | { does: 'offline' | 'online' }
  | { does: 'crash' | 'close'; tab: number; reopen: number; pending: Pending }
  | { does: 'freeze'; tab: number; ms: number }
  | { does: 'clock'; by: number }
  | { does: 'wipe' }
  | { does: 'powerCut'; keeps: number }
  | { does: 'quota'; ms: number }
  | { does: 'deadHandle'; tab: number; ms: number }
  | { does: 'steal'; ms: number }

/** What becomes of a store's call that was under way when its tab died. */
export type Pending = 'lost' | 'done' | 'torn'

export interface Crash {
  /** Yield points since the crash before, or since the beginning. */
  step: number
  reopen: number
  pending: Pending
}

export type StoreFate =
  /** Rejected, and nothing stored. */
  | { is: 'fails' }
  /** Never answered, and nothing stored. */
  | { is: 'lost' }
  /** A part is stored, and the tab dies. */
  | { is: 'torn'; keeps: number; reopen: number }
  /** Answered late. */
  | { is: 'hangs'; ms: number }

export type Answer =
  | 'fine'
  /** Applied; the answer is lost, never comes, or says 500. */
  | 'lost'
  | 'silent'
  | 'broken'
  /** Not applied: never arrived, or swallowed. */
  | 'down'
  | 'hangs'
  /** Applied; the request arrives twice. */
  | 'doubled'
  /** Somebody else answered. */
  | 'html'
  /** Refused for good by the strategy. */
  | 'permanent'
  | 400
  | 401
  | 403
  | 404
  | 408
  | 409
  | 412
  | 422
  | 425
  | 429
  | 500
  | 503

export interface Weather {
  is: Answer
  /** Milliseconds until it arrives, is worked on, and is answered. */
  takes: [arrive: number, work: number, answer: number]
}

export interface PageFate {
  is:
    | 'fine'
    | 'lost'
    | 'silent'
    /** The rows before it come with it once more. */
    | 'doubled'
    /** Its rows are in another order. */
    | 'shuffled'
    | 401
    | 429
    | 500
  /** Milliseconds until it is read, and until it is there. */
  takes: [arrive: number, answer: number]
}

export interface TakingFate {
  /** Row by row, all rows at once, or not to the end: it throws, or the tab dies. */
  is: 'fine' | 'at once' | 'throws' | 'cut'
  /** Milliseconds that it takes, of each row. */
  ms: number
}
