import type { LockManagerLike } from '../api.ts'

/** How tabs tell each other that they are there; the journals are the truth, this only wakes. */
export type TabChannel = Pick<BroadcastChannel, 'postMessage' | 'onmessage' | 'close'>

export interface DeparturesConfig {
  locks: LockManagerLike | null
  channel: TabChannel | null
  /** The lock that a writer holds as long as it lives. */
  lockOf: (writer: string) => string
  /** A writer is gone: what it left is ours now. Its lock is held meanwhile. */
  gone: (writer: string) => Promise<void>
  signal: AbortSignal
}

/** The leader's look-out for writers that leave. Returns a way to name one that may be there. */
export function watchDepartures({ locks, channel, lockOf, gone, signal }: DeparturesConfig): (writer: string) => void {
  const watched = new Set<string>()

  function watch(writer: string): void {
    if (watched.has(writer) || signal.aborted) return
    watched.add(writer)
    const left = () => gone(writer).finally(() => watched.delete(writer))
    // Granted when its holder has closed or crashed; rejected when we stop looking.
    if (locks) locks.request(lockOf(writer), { signal }, left).catch(() => undefined)
    else void left()
  }

  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'object' && data !== null && 'here' in data && typeof data.here === 'string') watch(data.here)
    }
    channel.postMessage({ rollCall: true })
  }
  return watch
}

/** A follower's side: holds its lock while it lives, and says so to whoever leads. Returns how to leave. */
export function announce(locks: LockManagerLike, channel: TabChannel | null, writer: string, lock: string): () => void {
  let leave: () => void = () => undefined
  const living = new Promise<void>((resolve) => (leave = resolve))
  const here = () => channel?.postMessage({ here: writer })
  locks.request(lock, {}, () => (here(), living)).catch(() => undefined)
  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      if (typeof data === 'object' && data !== null && 'rollCall' in data) here()
    }
  }
  return leave
}
