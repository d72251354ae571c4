import { parentPort } from 'node:worker_threads'
import { draw } from './draw.ts'
import { expectedFaults } from './faults.ts'
import { killAt, pointsOf, seeds, story } from './jobs.ts'
import { crashing, type Scenario, scenarios } from './scenarios.ts'
import type { Script } from './script.ts'

/** What a thread is asked to do. */
export type Job =
  | { does: 'seeds'; from: number; count: number; untilFailure: boolean }
  | { does: 'story'; script: Script; shrinks: boolean }
  | { does: 'draw'; seed: number }
  | { does: 'faults' }
  | { does: 'scenarios' }
  | { does: 'crashes'; scenario: string; first: number; pairs: boolean }
  | { does: 'crashing'; scenario: string; steps: number[] }

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
    case 'scenarios':
      return Promise.all(scenarios.map(async (one) => ({ name: one.name, points: await pointsOf(one) })))
    case 'crashes':
      return killAt(named(job.scenario), job.first, job.pairs)
    case 'crashing':
      return crashing(named(job.scenario), ...job.steps)
  }
}

function named(name: string): Scenario {
  const found = scenarios.find((one) => one.name === name)
  if (!found) throw new RangeError(`There is no scenario "${name}".`)
  return found
}

const unhandled: string[] = []
process.on('unhandledRejection', (error) => unhandled.push(String(error)))

parentPort?.on('message', (job: Job) => {
  void work(job).then((result) => parentPort?.postMessage({ result, unhandled: unhandled.splice(0) }))
})
