import { onScopeDispose, readonly, shallowRef, watch, type MaybeRefOrGetter, type Ref, toValue } from 'vue'

interface Clock {
  now: Ref<number>
  readers: number
  timer?: ReturnType<typeof setInterval>
}
const clocks = new Map<number, Clock>()

/** The time, read anew every `interval` ms while `isNeeded`: one timer for all who read at that pace. */
export function useNow(interval: number, isNeeded: MaybeRefOrGetter<boolean> = true) {
  const clock = clocks.get(interval) ?? { now: shallowRef(Date.now()), readers: 0 }
  clocks.set(interval, clock)
  let reads = false

  function read(needed: boolean) {
    if (needed === reads) return
    reads = needed
    clock.readers += needed ? 1 : -1
    if (clock.readers === 0) {
      clearInterval(clock.timer)
      clock.timer = undefined
    } else if (needed && clock.timer === undefined) {
      clock.now.value = Date.now()
      clock.timer = setInterval(() => (clock.now.value = Date.now()), interval)
    }
  }

  watch(() => toValue(isNeeded), read, { immediate: true })
  onScopeDispose(() => read(false))
  return readonly(clock.now)
}
