import type { Resolution } from '../conflict.ts'

/** What is here goes to the remote, whatever it holds. */
export function localWins(): Resolution<never> {
  return 'local'
}
