import type { TaskError } from 'rx-outbox'

/** The status of an error, or else its category, and its message. */
export function errorText({ category, status, message }: TaskError): string {
  return `${status ?? category}: ${message}`
}
