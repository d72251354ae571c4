import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { bundle, Threads } from './simulation.mjs'

/** Seeds of one job: long enough that asking costs nothing, short enough that all threads end together. */
const portion = 250

/**
 * `npm run prove`: simulated lives of the library, each from a seed, judged by what it promises.
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
      threads: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    },
  })
  const path = await bundle('library')
  const threads = new Threads(path, Number(values.threads))
  try {
    if (values.seed !== undefined) return await replay(threads, Number(values.seed))
    return await many(threads, Number(values.from), Number(values.seeds))
  } finally {
    await threads.close()
  }
}

/**
 * @param {Threads} threads
 * @param {number} seed
 */
async function replay(threads, seed) {
  const { failures } = await threads.one({ does: 'seeds', from: seed, count: 1, untilFailure: false })
  const script = failures[0]?.script ?? (await threads.one({ does: 'draw', seed }))
  console.log(await threads.one({ does: 'story', script, shrinks: failures.length > 0 }))
  return failures.length > 0 ? 1 : 0
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
