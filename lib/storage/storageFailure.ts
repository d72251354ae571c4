import { TimeoutError } from 'rxjs'
import { StorageError } from '../errors.ts'
import { nameOf } from './nameOf.ts'

/** The error of a store that could not do what it was asked: says what to do, and keeps the cause. */
export function storageFailure(doing: string, cause: unknown): StorageError {
  if (cause instanceof StorageError) return cause
  return new StorageError(`${doing} failed: ${advice(cause)}`, { cause })
}

function advice(cause: unknown): string {
  if (cause instanceof TimeoutError)
    return 'the browser gave no answer in time. Reload the page; close other tabs of it.'
  const name = nameOf(cause)
  const message = cause instanceof Error ? cause.message : String(cause)
  // By name: QuotaExceededError is not a DOMException everywhere.
  if (/quota/i.test(name)) return 'there is no room left. Free space on the device, or remove other data of this site.'
  if (name === 'NoModificationAllowedError') return 'another tab holds the file. Close other tabs of this site.'
  if (/no available storage method/i.test(message)) {
    return 'there is no such storage here. Give another driver or `memoryStore()` as `storage`.'
  }
  return message
}
