import type { Entry } from '../outbox/lane.ts'
import type { TaskError } from '../types.ts'

/** After this error: can it have been applied? A refusal says no; who was not asked, or only put off, changes nothing. */
export function doubtAfter({ category }: TaskError, { inDoubt }: Entry): boolean {
  if (category === 'client') return false
  if (category === 'auth' || category === 'rate-limit' || category === 'conflict') return inDoubt
  return true
}
