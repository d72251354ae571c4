import type { OutboxStatus } from '../types.ts'

/** How many tasks are not at the backend yet; dead letters have ended. */
export function unsentOf({ pending, processing, waiting, parked }: OutboxStatus): number {
  return pending + processing + waiting + parked
}
