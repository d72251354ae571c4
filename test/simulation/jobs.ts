import { check } from './check/checker.ts'
import type { Finding } from './check/findings.ts'
import { draw } from './draw.ts'
import { runScript } from './runScript.ts'
import { crashing, type Scenario } from './scenarios.ts'
import type { Script } from './script.ts'
import { shrink } from './shrink.ts'

/** What many runs amount to. Plain data: it travels between threads. */
export interface Tally {
  runs: number
  events: number
  hits: Record<string, number>
  checks: Record<string, number>
  failures: Failure[]
}

export interface Failure {
  /** How to name the run: a seed, or a scenario and where it crashed. */
  run: string
  finding: Finding
  script: Script
}

export const emptyTally = (): Tally => ({ runs: 0, events: 0, hits: {}, checks: {}, failures: [] })

/** Runs one script, and adds what came of it. */
export async function tell(tally: Tally, run: string, script: Script): Promise<void> {
  tally.runs++
  const finding = await findingOf(script, tally)
  if (finding) tally.failures.push({ run, finding, script })
}

async function findingOf(script: Script, tally: Tally): Promise<Finding | undefined> {
  try {
    const { history, hits } = await runScript(script)
    tally.events += history.length
    add(tally.hits, hits)
    const { findings, checks } = check(history)
    add(tally.checks, checks)
    return findings[0]
  } catch (error) {
    return { invariant: 'I8', what: error instanceof Error ? (error.stack ?? error.message) : String(error), event: -1 }
  }
}

/** Runs the seeds of a range, to the first failure where that is all one wants to know. */
export async function seeds(from: number, count: number, untilFailure: boolean): Promise<Tally> {
  const tally = emptyTally()
  for (let seed = from; seed < from + count; seed++) {
    await tell(tally, `--seed ${seed}`, draw(seed))
    if (untilFailure && tally.failures.length > 0) break
  }
  return tally
}

/** The story of a life; of a failure, as short as it can be told. */
export async function story(script: Script, shrinks: boolean): Promise<{ text: string; findings: number }> {
  const short = shrinks ? await shrink(script) : script
  const { history } = await runScript(short)
  const { findings } = check(history)
  const began = history[0]?.at ?? 0
  const told = history.map(({ at, clock: _, ...event }, index) => `${index} +${at - began} ${JSON.stringify(event)}`)
  const { config, actions, weather, stores, crashes, pages, takings } = short
  const text = [
    `config ${JSON.stringify(config)}`,
    ...actions.map((action) => `  ${JSON.stringify(action)}`),
    `weather ${JSON.stringify(weather)}`,
    `stores ${JSON.stringify(stores)}`,
    `pages ${JSON.stringify(pages)}`,
    `takings ${JSON.stringify(takings)}`,
    `crashes ${JSON.stringify(crashes)}`,
    '',
    ...told,
    '',
    ...findings.map(({ invariant, what, event }) => `${invariant} at ${event}: ${what}`),
  ].join('\n')
  return { text, findings: findings.length }
}

function add(sums: Record<string, number>, more: Map<string, number>): void {
  for (const [name, count] of more) sums[name] = (sums[name] ?? 0) + count
}

/** Yield points of a scenario: the library can be killed at each. */
export async function pointsOf(scenario: Scenario): Promise<number> {
  return (await runScript(crashing(scenario))).steps
}

/** Kills the library at one yield point of a scenario, and, for pairs, then at each one after it. */
export async function killAt(scenario: Scenario, first: number, pairs: boolean): Promise<Tally> {
  const tally = emptyTally()
  await tell(tally, `--scenario "${scenario.name}" --at ${first}`, crashing(scenario, first))
  for (let second = 0; pairs; second++) {
    const before = tally.hits['crash at a yield point'] ?? 0
    await tell(tally, `--scenario "${scenario.name}" --at ${first},${second}`, crashing(scenario, first, second))
    // Nothing was left that it could have been killed at.
    if ((tally.hits['crash at a yield point'] ?? 0) < before + 2) break
  }
  return tally
}
