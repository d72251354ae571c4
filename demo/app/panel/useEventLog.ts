import type { OutboxEvents } from 'rx-outbox'
import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Entities } from '../entities.ts'
import { eventBus } from '../persistence.ts'
import { describeEvent } from './describeEvent.ts'

type EventName = keyof OutboxEvents<Entities>

export interface LogLine {
  key: number
  at: number
  name: EventName
  subject: string
  detail: string
}

const names = [
  'entity:created',
  'entity:updated',
  'entity:deleted',
  'entity:persisted',
  'entity:persist-error',
  'entity:update-error',
  'entity:delete-error',
  'entity:expired',
  'entity:conflict',
  'entity:remote-changed',
  'queue:task-enqueued',
  'queue:task-processing',
  'queue:task-completed',
  'queue:task-failed',
  'queue:task-retrying',
  'queue:task-expired',
  'queue:task-superseded',
  'queue:task-discarded',
  'auth:required',
  'storage:degraded',
  'storage:recovered',
  'storage:lost',
] as const satisfies EventName[]

const kept = 200

/** The last events of the bus, newest first. While paused, what passes is counted and left out. */
export function useEventLog() {
  const lines = shallowRef<readonly LogLine[]>([])
  const isPaused = ref(false)
  const missed = ref(0)
  let count = 0
  let fresh: LogLine[] = []

  const subscriptions = names.map((name) =>
    eventBus.on(name).subscribe((payload) => {
      if (isPaused.value) missed.value++
      else fresh.unshift({ key: ++count, at: Date.now(), name, ...describeEvent(payload) })
      if (fresh.length > kept) fresh.length = kept
    }),
  )

  // Hundreds of events can pass in one frame; the page need not follow each.
  const timer = setInterval(() => {
    if (fresh.length === 0) return
    lines.value = [...fresh, ...lines.value].slice(0, kept)
    fresh = []
  }, 120)

  onScopeDispose(() => {
    clearInterval(timer)
    for (const subscription of subscriptions) subscription.unsubscribe()
  })

  function togglePause() {
    isPaused.value = !isPaused.value
    missed.value = 0
  }

  function clear() {
    lines.value = []
    fresh = []
  }
  return { lines, isPaused, missed, togglePause, clear }
}
