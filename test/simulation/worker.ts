import { parentPort } from 'node:worker_threads'
import { draw } from './draw.ts'
import { expectedFaults } from './faults.ts'
import { seeds, story } from './jobs.ts'
import type { Script } from './script.ts'

/** What a thread is asked to do. */
export type Job =
  | { does: 'seeds'; from: number; count: number; untilFailure: boolean }
  | { does: 'story'; script: Script; shrinks: boolean }
  | { does: 'draw'; seed: number }
  | { does: 'faults' }

// Thousands of errors are made on purpose: nobody reads where.
Error.stackTraceLimit = 0

async function work(job: Job): Promise<unknown> {
  switch (job.does) {
    case 'seeds':
      return seeds(job.from, job.count, job.untilFailure)
    case 'story':
      return story(job.script, job.shrinks)
    case 'draw':
      return draw(job.seed)
    case 'faults':
      return expectedFaults
  }
}

const unhandled: string[] = []
process.on('unhandledRejection', (error) => unhandled.push(String(error)))

parentPort?.on('message', (job: Job) => {
  void work(job).then((result) => parentPort?.postMessage({ result, unhandled: unhandled.splice(0) }))
})
