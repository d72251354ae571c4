import { mkdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = 'node_modules/.cache/simulation'

/**
 * Bundles the library and its simulation into one file that a thread runs: nothing is resolved or compiled later.
 *
 * @param {string} name
 * @param {{ name: string, file: string, find: string, put: string }} [mutant] a bug that is planted, as a change of a file's text
 * @param {string} [entry] of test/simulation
 * @returns {Promise<string>} the path
 */
export async function bundle(name, mutant, entry = 'worker') {
  mkdirSync(`${root}${folder}`, { recursive: true })
  if (mutant && !readFileSync(`${root}${mutant.file}`, 'utf8').includes(mutant.find))
    throw new Error(`${mutant.file} has no longer the text of the mutant "${mutant.name}":\n${mutant.find}`)
  await build({
    root,
    configFile: false,
    logLevel: 'error',
    plugins: mutant
      ? [
          {
            name: 'mutant',
            transform: (code, id) => (id.endsWith(mutant.file) ? code.replace(mutant.find, () => mutant.put) : null),
            enforce: 'pre',
          },
        ]
      : [],
    build: {
      ssr: `test/simulation/${entry}.ts`,
      outDir: folder,
      emptyOutDir: false,
      minify: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: `${name}.mjs` } },
    },
    ssr: { noExternal: true },
  })
  return `${root}${folder}/${name}.mjs`
}

/** Threads that do jobs, one at a time each. */
export class Threads {
  /**
   * @param {string} path
   * @param {number} count
   */
  constructor(path, count) {
    this.workers = Array.from(
      { length: count },
      () => new Worker(path, { resourceLimits: { maxYoungGenerationSizeMb: 64 } }),
    )
  }

  /**
   * Does the jobs that `next` gives until there is none left.
   *
   * @param {() => object | undefined} next
   * @param {(result: any, job: any) => unknown} done
   */
  async all(next, done) {
    await Promise.all(
      this.workers.map(async (worker) => {
        for (let job = next(); job; job = next()) await done(await this.ask(worker, job), job)
      }),
    )
  }

  /**
   * @param {object} job
   * @returns {Promise<any>}
   */
  one(job) {
    const [worker] = this.workers
    if (!worker) throw new Error('There is no thread.')
    return this.ask(worker, job)
  }

  /**
   * @param {Worker} worker
   * @param {object} job
   * @returns {Promise<any>}
   */
  ask(worker, job) {
    return new Promise((resolve, reject) => {
      const failed = (/** @type {unknown} */ error) => reject(error)
      worker.once('error', failed)
      worker.once('message', ({ result, unhandled }) => {
        worker.off('error', failed)
        if (unhandled.length > 0) reject(new Error(`Nobody handled ${unhandled.join(', ')}, in ${JSON.stringify(job)}`))
        else resolve(result)
      })
      worker.postMessage(job)
    })
  }

  async close() {
    await Promise.all(this.workers.map((worker) => worker.terminate()))
  }
}
