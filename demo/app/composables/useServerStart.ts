import { onScopeDispose, shallowRef } from 'vue'
import { readHealth, type Health } from '../api.ts'

/** Asks the server how far its start is, until it is ready; `undefined` while it does not answer. */
export function useServerStart(onReady: () => void) {
  const health = shallowRef<Health>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let isStopped = false

  async function ask() {
    try {
      health.value = await readHealth()
    } catch {
      health.value = undefined
    }
    if (isStopped) return
    if (health.value?.ready) onReady()
    else timer = setTimeout(() => void ask(), health.value ? 250 : 2_000)
  }

  void ask()
  onScopeDispose(() => {
    isStopped = true
    clearTimeout(timer)
  })
  return health
}
