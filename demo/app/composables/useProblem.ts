import { ref } from 'vue'

/** Commands are promises; what the latest of them could not do is said. */
export function useProblem() {
  const problem = ref('')

  /** Never rejects; says whether it was done. */
  async function attempt(command: Promise<unknown>): Promise<boolean> {
    try {
      await command
      problem.value = ''
      return true
    } catch (error) {
      problem.value = error instanceof Error ? error.message : String(error)
      return false
    }
  }
  return { problem, attempt }
}
