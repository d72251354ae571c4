import { onMounted, shallowRef } from 'vue'
import { noFaults, readFaults, writeFaults, type Faults } from '../api.ts'
import { useProblem } from '../composables/useProblem.ts'

/** The switches of the server. What is set shows at once and goes back when the server refuses. */
export function useFaults() {
  const faults = shallowRef<Faults>(noFaults)
  const { problem, attempt } = useProblem()

  async function set(change: Partial<Faults>): Promise<void> {
    const before = faults.value
    faults.value = { ...before, ...change }
    if (!(await attempt(writeFaults(faults.value)))) faults.value = before
  }

  async function read(): Promise<void> {
    try {
      faults.value = await readFaults()
    } catch {
      // The server is still starting, or away: the switches stand at their defaults until one is used.
    }
  }
  onMounted(read)
  return { faults, problem, set, read }
}
