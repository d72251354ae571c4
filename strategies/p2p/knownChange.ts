import type { Change } from '../crdt/change.ts'

/** The edit that an earlier attempt of the same task saved as its progress. */
export function knownChange(progress: unknown): Change | undefined {
  const { update, version } = Object(progress) as { update?: unknown; version?: unknown }
  return update instanceof Uint8Array && typeof version === 'string' ? { update, version } : undefined
}
