import type { OutboxStatus } from 'rx-outbox'
import { onScopeDispose, shallowReactive, watch, type Ref } from 'vue'
import { eventBus } from '../persistence.ts'

const ends = [
  'queue:task-completed',
  'queue:task-failed',
  'queue:task-retrying',
  'queue:task-expired',
  'queue:task-superseded',
  'queue:task-discarded',
] as const

/** The ids of tasks that are with the server right now. A task itself does not say so: it is a fact of this moment. */
export function useInFlight(status: Readonly<Ref<OutboxStatus>>) {
  const inFlight = shallowReactive(new Set<string>())
  const subscriptions = [
    eventBus.on('queue:task-processing', ({ task }) => void inFlight.add(task.id)),
    ...ends.map((name) => eventBus.on(name, ({ task }) => void inFlight.delete(task.id))),
  ]
  // An attempt that a 401 or the network cut short costs nothing, and so ends without an event.
  watch(
    () => status.value.processing === 0,
    (isIdle) => isIdle && inFlight.clear(),
  )
  onScopeDispose(() => {
    for (const subscription of subscriptions) subscription.unsubscribe()
  })
  return inFlight
}
