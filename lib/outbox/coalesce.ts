import type { Operation } from '../types.ts'

/**
 * What two waiting changes of one entity are together: one operation, `'nothing'` when they cancel out, or `undefined`
 * when both have to be sent.
 *
 * @example coalesce('create', 'update') // 'create'
 * @example coalesce('create', 'delete') // 'nothing'
 */
export function coalesce(older: Operation, newer: Operation): Operation | 'nothing' | undefined {
  if (older === 'delete' || newer === 'create') return undefined
  if (newer === 'delete') return older === 'create' ? 'nothing' : 'delete'
  return older
}
