import type { Resolution } from '../conflict.ts'

/** What the remote holds stays, and the local change is dropped. */
export function remoteWins(): Resolution<never> {
  return 'remote'
}
