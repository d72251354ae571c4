import type { Resolution } from './conflict.ts'

/** Whether it is one, whoever made it. */
export function isResolution(value: unknown): value is Resolution {
  if (value === 'local' || value === 'remote') return true
  return typeof value === 'object' && value !== null && Object.hasOwn(value, 'merged')
}
