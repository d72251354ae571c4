import type { Entry } from '../outbox/lane.ts'
import type { TaskError } from '../types.ts'

/** After this error: can it have been applied? A refusal says no; who was not asked, or only put off, changes nothing. */
export function doubtAfter({ category, status }: TaskError, { inDoubt }: Entry): boolean {
  // 409 without a remote: an earlier request of this key is still being worked on.
  if (status === 409) return inDoubt
  if (category === 'client') return false
  if (category === 'auth' || category === 'rate-limit' || category === 'conflict') return inDoubt
  return true
}
