import type { TaskError } from 'rx-outbox'

const labels: Record<TaskError['category'], string> = {
  network: 'not reached',
  timeout: 'no answer in time',
  server: 'server error',
  client: 'refused',
  auth: 'signed out',
  conflict: 'changed elsewhere',
  'rate-limit': 'too many requests',
  unknown: 'failed',
}

/** An error in two or three words. */
export function errorLabel({ category, status }: TaskError): string {
  return category === 'network' || status === undefined ? labels[category] : `${status} ${labels[category]}`
}

/** An error with all that is known of it. */
export function errorText(error: TaskError): string {
  return `${errorLabel(error)}: ${error.message}`
}
