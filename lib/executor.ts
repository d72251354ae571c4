import { type Controls, isOfTasks, obey } from './controls.ts'
import type { Delivery } from './delivery/delivery.ts'
import type { Lead } from './tabs/neighbours.ts'
import type { Requests } from './tabs/requests.ts'
import type { Wire } from './tabs/wire.ts'

export interface ExecutorConfig {
  /** This tab, as the others know it. */
  writer: string
  wire: Pick<Wire, 'send'>
  requests: Pick<Requests, 'done'>
}

/** Does what the journals of other tabs ask for, and says what came of it. */
export function executor(
  controls: Controls,
  delivery: Pick<Delivery, 'wake'>,
  { writer: self, wire, requests }: ExecutorConfig,
): Lead['execute'] {
  return async (command, writer, isGone) => {
    const isOwn = writer === self
    if (isGone && !isOwn && !isOfTasks(command)) return
    const done = obey(controls, command)
      .then(
        (taskId) => (taskId === undefined ? {} : { taskId }),
        (error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }),
      )
      .then((result) => {
        if (isOwn) requests.done(command.lsn, result)
        else wire.send({ is: 'done', writer, command: command.lsn, ...result })
      })
    // What waits for a remote must not keep the tasks behind it waiting.
    if (command.name !== 'pull') await done
    delivery.wake()
  }
}
