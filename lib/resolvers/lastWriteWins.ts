import type { ConflictResolver } from '../conflict.ts'

export interface LastWriteWinsOptions<T> {
  /** Where an entity says when it was last changed: a field of it, or a function. A number, a Date or an ISO text. */
  at: (keyof T & string) | ((data: T) => unknown)
}

/**
 * The later change stays, by what the entities say; the remote's where both say the same. A deletion says nothing, so it
 * gives way to a change. Clocks of devices differ: whose goes ahead wins.
 *
 * @example conflict: { note: lastWriteWins({ at: 'updatedAt' }) }
 */
export function lastWriteWins<T extends object>({ at }: LastWriteWinsOptions<T>): ConflictResolver<T> {
  const timeOf = (data: T) => time(typeof at === 'function' ? at(data) : Object.hasOwn(data, at) ? data[at] : undefined)
  return ({ local, remote }) => {
    if (local === undefined || remote === undefined) return local === undefined ? 'remote' : 'local'
    return timeOf(local) > timeOf(remote) ? 'local' : 'remote'
  }
}

/** Epoch ms; what says nothing is older than everything. */
function time(value: unknown): number {
  const at = value instanceof Date ? value.getTime() : typeof value === 'string' ? Date.parse(value) : value
  return typeof at === 'number' && !Number.isNaN(at) ? at : -Infinity
}
