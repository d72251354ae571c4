import type { OutboxStatus } from 'rx-outbox'
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** How many tasks make a run worth a progress bar. */
const worthShowing = 20
const rateWindow = 3_000

export interface Drain {
  total: number
  done: number
  /** Tasks a second, over the last seconds. */
  rate: number
  startedAt: number
  endedAt?: number
}

/** Follows a long queue from its growth to its end; `undefined` while there is nothing to follow. */
export function useDrain(status: Readonly<Ref<OutboxStatus>>) {
  const drain = ref<Drain>()
  let before = 0
  let marks: { at: number; done: number }[] = []
  let hide: ReturnType<typeof setTimeout> | undefined

  function follow(left: number) {
    const at = Date.now()
    if (!drain.value || drain.value.endedAt) {
      if (left >= worthShowing && left > before) {
        clearTimeout(hide)
        marks = [{ at, done: 0 }]
        drain.value = { total: left, done: 0, rate: 0, startedAt: at }
      }
    } else {
      const total = drain.value.total + Math.max(0, left - before)
      const done = total - left
      marks = [...marks.filter((mark) => at - mark.at < rateWindow), { at, done }]
      const first = marks[0]
      const seconds = first ? (at - first.at) / 1_000 : 0
      const rate = first && seconds > 0.3 ? (done - first.done) / seconds : drain.value.rate
      drain.value = { ...drain.value, total, done, rate, ...(left === 0 && { endedAt: at }) }
      if (left === 0) hide = setTimeout(() => (drain.value = undefined), 4_000)
    }
    before = left
  }

  watch(() => status.value.pending + status.value.processing + status.value.waiting + status.value.parked, follow, {
    immediate: true,
  })
  onScopeDispose(() => clearTimeout(hide))
  return drain
}
