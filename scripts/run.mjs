// Entry of `npm start`, `npm test`, `npm run prove` and `npm run dev`: runs from a fresh clone, so nothing here may need a package.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const stamp = fileURLToPath(new URL('../node_modules/.installed-lockfile', import.meta.url))
const bin = fileURLToPath(new URL('../node_modules/.bin', import.meta.url))

const jobs = {
  start: () => import('./start.mjs'),
  test: () => import('./test.mjs'),
  dev: () => import('./dev.mjs'),
  prove: () => import('./prove.mjs'),
  bench: () => import('./bench.mjs'),
}

process.chdir(root)
requireNode(20, 19)
installWhatIsMissing()
process.env['PATH'] = `${bin}${delimiter}${process.env['PATH'] ?? ''}`

const job = Object.entries(jobs).find(([name]) => name === process.argv[2])
if (!job) stop(`Say one of: ${Object.keys(jobs).join(', ')}`)
const { default: run } = await job[1]()
process.exitCode = await run(process.argv.slice(3))

/**
 * @param {number} major
 * @param {number} minor
 */
function requireNode(major, minor) {
  const [ownMajor = 0, ownMinor = 0] = process.versions.node.split('.').map(Number)
  if (ownMajor > major || (ownMajor === major && ownMinor >= minor)) return
  stop(`Node ${major}.${minor} or newer is needed; this is ${process.versions.node}.`)
}

/** What is installed fits when it was installed from this very lockfile. */
function installWhatIsMissing() {
  const wanted = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  console.log(
    'Installing the packages of package-lock.json (npm ci). The first time this downloads, for about a minute.',
  )
  // NODE_ENV=production would leave out what builds and tests.
  const options = ['ci', '--include=dev', '--no-audit', '--no-fund']
  const npm = process.env['npm_execpath']
  const { status } = npm
    ? spawnSync(process.execPath, [npm, ...options], { stdio: 'inherit' })
    : spawnSync('npm', options, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (status !== 0) stop('npm ci failed: see above.')
  writeFileSync(stamp, wanted)
}

/**
 * @param {string} message
 * @returns {never}
 */
function stop(message) {
  console.error(message)
  process.exit(1)
}
