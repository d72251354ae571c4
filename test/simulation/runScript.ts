import type { HistoryEvent } from './history.ts'
import type { Script } from './script.ts'
import { App } from './world/app.ts'
import { settleDown } from './world/settleDown.ts'

export interface Run {
  history: HistoryEvent[]
  hits: Map<string, number>
  /** Yield points. */
  steps: number
}

/** One whole life of an app, from its script. */
export async function runScript(script: Script): Promise<Run> {
  const app = new App(script)
  await app.live(script.actions)
  await settleDown(app)
  const { history, hits, steps } = app.world
  return { history, hits, steps }
}
