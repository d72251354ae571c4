import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bundle, Threads } from './simulation.mjs'

/** Seeds of one job: long enough that asking costs nothing, short enough that all threads end together. */
const portion = 250

/** Tests of histories: of one app and its remote, and of several devices that write apart from each other, and agree in the end. */
const histories = [
  'test/unit/outbox/histories',
  'test/unit/storage/mirrorHistories',
  'test/unit/hybrid/crashes',
  'test/unit/sync/histories',
  'test/unit/persistence/convergence',
  'test/unit/crdt/convergence',
  'test/unit/crdt/persistence',
  'test/unit/p2p/convergence',
  'test/unit/p2p/persistence',
]

/**
 * `npm run prove`: simulated lives of the library, each from a seed, judged by what it promises; real kills; several devices
 * that have to agree; damaged bytes.
 *
 * @param {string[]} args
 * @returns {Promise<number>}
 */
export default async function prove(args) {
  const { values } = parseArgs({
    args,
    options: {
      seed: { type: 'string' },
      seeds: { type: 'string', default: '20000' },
      from: { type: 'string', default: '1' },
      only: { type: 'string' },
      kills: { type: 'string', default: '100' },
      bytes: { type: 'string', default: '100000' },
      histories: { type: 'string', default: '2000' },
      scenario: { type: 'string' },
      at: { type: 'string', default: '' },
      threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    },
  })
  const path = await bundle('library')
  const threads = new Threads(path, Number(values.threads))
  try {
    if (values.seed !== undefined) return await replaySeed(threads, Number(values.seed))
    if (values.scenario !== undefined)
      return await replayScenario(threads, values.scenario, values.at.split(',').filter(Boolean).map(Number))
    const parts = {
      seeds: () => many(threads, Number(values.from), Number(values.seeds)),
      crashes: () => allCrashes(threads),
      mutants: () => allMutants(Number(values.threads)),
      kills: () => tests('real kills', 'e2e', ['test/kills/kills'], { KILLS: values.kills }),
      histories: () => tests('histories', 'unit', histories, { HISTORIES: values.histories }),
      bytes: () => tests('damaged bytes', 'unit', ['test/unit/storage/fuzz'], { FUZZ_RUNS: values.bytes }),
    }
    let failed = 0
    for (const [name, part] of Object.entries(parts))
      if (values.only === undefined || values.only === name) failed += await part()
    return failed
  } finally {
    await threads.close()
  }
}

/**
 * Tests of `npm test` in another dose, and drawn anew.
 *
 * @param {string} what
 * @param {string} project
 * @param {string[]} files
 * @param {Record<string, string>} dose
 */
async function tests(what, project, files, dose) {
  const seed = process.env['PROPERTY_SEED'] ?? String(randomInt(2 ** 31))
  console.log(`${what}: ${Object.values(dose).join()} (PROPERTY_SEED=${seed})`)
  const env = { ...process.env, ...dose, PROPERTY_SEED: seed }
  const options = { stdio: 'inherit', shell: process.platform === 'win32', env }
  const child = spawn(
    'vitest',
    ['run', '--testTimeout=0', '--project', project, ...files],
    /** @type {any} */ (options),
  )
  const [code] = await once(child, 'close')
  return code === 0 ? 0 : 1
}

/**
 * @param {Threads} threads
 * @param {number} seed
 */
async function replaySeed(threads, seed) {
  const { failures } = await threads.one({ does: 'seeds', from: seed, count: 1, untilFailure: false })
  const script = failures[0]?.script ?? (await threads.one({ does: 'draw', seed }))
  return retell(threads, script, failures.length > 0)
}

/**
 * @param {Threads} threads
 * @param {string} scenario
 * @param {number[]} steps
 */
async function replayScenario(threads, scenario, steps) {
  return retell(threads, await threads.one({ does: 'crashing', scenario, steps }), false)
}

/**
 * @param {Threads} threads
 * @param {object} script
 * @param {boolean} failed
 */
async function retell(threads, script, failed) {
  const { text, findings } = await threads.one({ does: 'story', script, shrinks: failed })
  console.log(text)
  return findings > 0 ? 1 : 0
}

/**
 * The library is killed at every yield point of every scenario, and at every pair of points.
 *
 * @param {Threads} threads
 */
async function allCrashes(threads) {
  const began = performance.now()
  const scenarios = await threads.one({ does: 'scenarios' })
  const jobs = scenarios.flatMap((/** @type {{ name: string, points: number }} */ { name, points }) =>
    Array.from({ length: points }, (_, first) => ({ does: 'crashes', scenario: name, first, pairs: true })),
  )
  /** @type {Map<string, any>} */
  const totals = new Map()
  await threads.all(
    () => jobs.shift(),
    (tally, job) => {
      const total = totals.get(job.scenario) ?? { runs: 0, events: 0, hits: {}, checks: {}, failures: [] }
      totals.set(job.scenario, total)
      sum(total, tally)
    },
  )
  let runs = 0
  let failures = 0
  console.log('killed at every yield point, and at every pair')
  for (const { name, points } of scenarios) {
    const total = totals.get(name)
    runs += total.runs
    failures += total.failures.length
    console.log(`  ${name.padEnd(44)}${String(points).padStart(6)} points ${String(total.runs).padStart(9)} lives`)
    for (const { run, finding } of total.failures.slice(0, 3))
      console.log(`FAILED: ${finding.invariant} ${finding.what}\n  npm run prove -- ${run}`)
  }
  console.log(`${runs} lives, ${failures} broken promises, ${((performance.now() - began) / 1000).toFixed(1)} s`)
  return failures > 0 ? 1 : 0
}

/**
 * Bugs are planted, one at a time: the simulation has to find every one.
 *
 * @param {number} threads
 */
async function allMutants(threads) {
  const path = await bundle('mutants', undefined, 'mutants')
  const healthy = await bundle('library')
  const { mutants } = await import(`${path}?${performance.now()}`)
  const waiting = [...mutants.entries()]
  let missed = 0
  console.log('planted bugs, and the lives that it took to find them')
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [at, mutant] = next
      const found = await hunt(await bundle(`mutant-${at}`, mutant), healthy)
      if (!found) missed++
      const how = found ? `${String(found.run).padStart(7)} ${found.invariant} ${found.what}` : 'NOT FOUND'
      console.log(`  ${mutant.name.padEnd(68)}${how.slice(0, 110)}`)
    }
  }
  await Promise.all(Array.from({ length: threads }, worker))
  console.log(`${mutants.length} planted bugs, ${missed} not found`)
  return missed > 0 ? 1 : 0
}

/** Lives in which a planted bug has to show. */
const patience = 10_000

/**
 * @param {string} path
 * @param {string} healthy the library as it is: what breaks there is no sign of the planted bug
 * @returns {Promise<{ run: number, invariant: string, what: string } | undefined>}
 */
export async function hunt(path, healthy) {
  const threads = new Threads(path, 1)
  const others = new Threads(healthy, 1)
  try {
    for (let from = 1; from <= patience;) {
      const { runs, failures } = await threads.one({ does: 'seeds', from, count: portion, untilFailure: true })
      from += runs
      if (!failures[0]) continue
      const healthily = await others.one({ does: 'seeds', from: from - 1, count: 1, untilFailure: true })
      if (healthily.failures.length === 0) return { run: from - 1, ...failures[0].finding }
    }
    return undefined
  } finally {
    await Promise.all([threads.close(), others.close()])
  }
}

/**
 * @param {Threads} threads
 * @param {number} from
 * @param {number} count
 */
async function many(threads, from, count) {
  const began = performance.now()
  let next = from
  const end = from + count
  /** @type {any} */
  const total = { runs: 0, events: 0, hits: {}, checks: {}, failures: [] }
  await threads.all(
    () => {
      if (next >= end || total.failures.length >= 5) return undefined
      const job = { does: 'seeds', from: next, count: Math.min(portion, end - next), untilFailure: false }
      next += job.count
      return job
    },
    (tally) => sum(total, tally),
  )
  const seconds = (performance.now() - began) / 1000
  console.log(table(total, seconds))
  for (const { run, finding } of total.failures.slice(0, 5))
    console.log(`FAILED: ${finding.invariant} ${finding.what}\n  npm run prove -- ${run}`)
  // In fewer lives than this, some may be missing by chance.
  const expected = count < 2_000 ? [] : await threads.one({ does: 'faults' })
  const missed = expected.filter((/** @type {string} */ fault) => !total.hits[fault])
  for (const fault of missed) console.log(`FAILED: the fault "${fault}" never struck`)
  return total.failures.length > 0 || missed.length > 0 ? 1 : 0
}

/**
 * @param {any} total
 * @param {any} more
 */
export function sum(total, more) {
  total.runs += more.runs
  total.events += more.events
  for (const name of ['hits', 'checks'])
    for (const [key, count] of Object.entries(more[name])) total[name][key] = (total[name][key] ?? 0) + count
  total.failures.push(...more.failures)
}

/**
 * @param {any} total
 * @param {number} seconds
 */
function table(total, seconds) {
  const rows = (/** @type {Record<string, number>} */ counts) =>
    Object.entries(counts)
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
      .map(([name, count]) => `  ${name.padEnd(28)}${String(count).padStart(12)}`)
  return [
    `${total.runs} lives, ${total.events} events, ${seconds.toFixed(1)} s (${Math.round(total.runs / seconds)} a second)`,
    'faults that struck',
    ...rows(total.hits),
    'checks of each invariant',
    ...rows(total.checks),
    `${total.failures.length} broken promises`,
  ].join('\n')
}
