import { BehaviorSubject } from 'rxjs'
import { onTestFinished } from 'vitest'
import type { EventBus, Options, Strategies } from '../../lib/api.ts'
import { createPersistence, memoryStore } from '../../lib/index.ts'
import type { OutboxEvents } from '../../lib/events.ts'
import type { Note, Remote } from './remote.ts'

export interface Entities {
  note: Note
  tag: Note
}

/** An outbox of notes and tags in memory, delivered to one remote unless told otherwise; it is closed when the test ends. */
export function open(
  remote: Remote,
  options: { bus?: EventBus<Entities> } & Options<Entities> = {},
  strategies: Strategies<Entities> = { note: remote, tag: remote },
) {
  const persistence = createPersistence<Entities>({
    strategies,
    options: { storage: memoryStore(), ...options },
  })
  onTestFinished(() => persistence.close())
  return persistence
}

/** What a bus told of the outbox, in order. */
export function heard<N extends keyof OutboxEvents<Entities>>(
  bus: EventBus<Entities>,
  ...names: N[]
): { name: N; payload: OutboxEvents<Entities>[N] }[] {
  const events: { name: N; payload: OutboxEvents<Entities>[N] }[] = []
  for (const name of names) bus.on(name, (payload) => void events.push({ name, payload }))
  return events
}

/** A network that a test switches: `network.next(false)`. */
export function network(online: boolean): BehaviorSubject<boolean> {
  return new BehaviorSubject(online)
}
