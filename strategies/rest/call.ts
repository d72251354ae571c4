import type { RestAnswer } from './answer.ts'

export interface Call {
  method: string
  url: URL
  /** What makes the write conditional. */
  only?: { 'if-match'?: string; 'if-none-match'?: string; 'last-event-id'?: string }
  accept?: string
  body?: string | undefined
}

export interface Answer extends RestAnswer {
  /** Method and path, for messages. */
  request: string
  ok: boolean
}
