import { NEVER, type ObservableInput, of, throwError } from 'rxjs'
import type { AttemptContext, PersistableEntity, PersistenceStrategy, PersistReceipt } from '../../lib/types.ts'

export interface Note {
  id: string
  text: string
}

export interface Call {
  operation: 'create' | 'update' | 'delete'
  id: string
  text: string | undefined
  /** Epoch ms at which it came. */
  at: number
  attempt: AttemptContext
}

type Answer = (call: Call) => ObservableInput<PersistReceipt<Note> | void>

/** A backend that remembers every call and answers as a test says: by default it accepts, synchronously. */
export class Remote implements PersistenceStrategy<Note> {
  readonly calls: Call[] = []
  answer: Answer

  constructor(answer: Answer = () => of({})) {
    this.answer = answer
  }

  /** What came, shortly: `create n1 hello`. */
  get log(): string[] {
    return this.calls.map(({ operation, id, text }) =>
      [operation, id, text].filter((part) => part !== undefined).join(' '),
    )
  }

  /** When each call came, in ms since `start`. */
  since(start: number): number[] {
    return this.calls.map(({ at }) => at - start)
  }

  persistCreate(entity: PersistableEntity<Note>, attempt: AttemptContext) {
    return this.take({ operation: 'create', id: entity.id, text: entity.data.text, at: Date.now(), attempt })
  }
  persistUpdate(entity: PersistableEntity<Note>, attempt: AttemptContext) {
    return this.take({ operation: 'update', id: entity.id, text: entity.data.text, at: Date.now(), attempt })
  }
  persistDelete(id: string, _entityType: string, attempt: AttemptContext) {
    return this.take({ operation: 'delete', id, text: undefined, at: Date.now(), attempt })
  }

  private take(call: Call) {
    this.calls.push(call)
    return this.answer(call)
  }
}

/** Answers in turn; then the last one again and again. */
export function inTurn(...answers: Answer[]): Answer {
  let next = 0
  return (call) => (answers[Math.min(next++, answers.length - 1)] ?? accepts)(call)
}

export const accepts = () => of({})
export const hangs = () => NEVER

export function fails(error: () => unknown): () => ObservableInput<never> {
  return () => throwError(error)
}

export function note(id: string, text = 'text'): Note {
  return { id, text }
}
