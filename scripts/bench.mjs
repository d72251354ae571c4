import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { spawnSync } from 'node:child_process'
import { build } from 'vite'

const root = fileURLToPath(new URL('..', import.meta.url))
const folder = `${root}node_modules/.cache/bench`

/**
 * `npm run bench`: how long rx-outbox takes beside raw IndexedDB and a raw file, in a real browser.
 *
 * @param {string[]} args
 * @returns {Promise<number>}
 */
export default async function bench(args) {
  const { values } = parseArgs({
    args,
    options: {
      n: { type: 'string', default: '1000,10000' },
      rounds: { type: 'string', default: '3' },
      http: { type: 'string', default: '300' },
      out: { type: 'string', default: `${folder}/bench.svg` },
    },
  })
  mkdirSync(folder, { recursive: true })
  // The contender loads the package as an app does: what is measured is what is published.
  if (spawnSync('tsdown', ['--logLevel', 'warn'], { stdio: 'inherit', shell: true }).status !== 0) return 1
  const alias = [
    { find: /^rx-outbox$/, replacement: `${root}dist/index.js` },
    { find: /^rx-outbox\/(opfsWorker.*)$/, replacement: `${root}dist/storage/$1` },
    { find: /^rx-outbox\/(.*)$/, replacement: `${root}dist/$1` },
  ]
  /** @type {import('vite').InlineConfig} */
  const shared = { root, configFile: false, logLevel: 'error', resolve: { alias } }
  await build({
    ...shared,
    build: {
      lib: { entry: 'test/bench/page.js', formats: ['es'], fileName: () => 'page.js' },
      outDir: folder,
      emptyOutDir: false,
      minify: true,
    },
  })
  await build({
    ...shared,
    build: {
      ssr: 'test/bench/main.ts',
      outDir: folder,
      emptyOutDir: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: 'main.mjs' } },
    },
  })
  const { bench: run } = await import(pathToFileURL(`${folder}/main.mjs`).href)
  const { table, drawing } = await run(`${folder}/page.js`, {
    lengths: values.n.split(',').map(Number),
    rounds: Number(values.rounds),
    httpMost: Number(values.http),
    say: console.log,
  })
  writeFileSync(values.out, drawing)
  console.log(
    `\nMedians of ${values.rounds} rounds; figures are shares of the time of raw IndexedDB in the same round.\n\n${table}\n\nDrawn in ${values.out}`,
  )
  return 0
}
