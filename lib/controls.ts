import type { Gates } from './gates.ts'
import type { Commands } from './outbox/commands.ts'
import type { Command } from './storage/records.ts'
import { decodeValue } from './storage/value.ts'
import type { Resolution } from './conflict.ts'

/** What an app may ask of an outbox. Each resolves when the leader has recorded it. */
export interface Controls extends Commands {
  pause: () => Promise<void>
  resume: () => Promise<void>
  authorized: (entityType: string) => Promise<void>
  pull: (entityType?: string) => Promise<void>
}

export type ControlName = keyof Controls

const ofTasks = new Set<string>(['retry', 'discard', 'resolve', 'retryAll', 'discardAll'])

/** A command on tasks counts whoever asked for it; what is said of the app as a whole ends with whoever said it. */
export function isOfTasks({ name }: Command): boolean {
  return ofTasks.has(name)
}

/** The leader's own: it does what it is asked. */
export function controlsOf(commands: Commands, gates: Gates, pull: Controls['pull']): Controls {
  return {
    ...commands,
    pull,
    async pause() {
      gates.setPaused(true)
    },
    async resume() {
      gates.setPaused(false)
    },
    async authorized(entityType) {
      gates.open(entityType)
    },
  }
}

/** Does what another tab's journal asks for; of a command that is not known nothing is done. */
export async function obey(
  controls: Controls,
  { name, task = '', entityType = '', data }: Command,
): Promise<string | void> {
  switch (name) {
    case 'resolve':
      // Whoever carries it out looks at it.
      return controls.resolve(task, decodeValue(data ?? 'null') as Resolution)
    case 'retry':
    case 'discard':
      return controls[name](task)
    case 'authorized':
      return controls.authorized(entityType)
    case 'pull':
      return controls.pull(entityType || undefined)
    case 'retryAll':
    case 'discardAll':
    case 'flush':
    case 'pause':
    case 'resume':
      return controls[name]()
  }
}
