import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'

/** Each is one check: it counts as one passed or one failed. */
const longestCheck = [['types', 'vue-tsc', '-p', 'tsconfig.json']]
const otherChecks = [
  ['types without Node', 'vue-tsc', '-p', 'tsconfig.lib.json'],
  ['lint', 'oxlint', '--type-aware', '--deny-warnings'],
  ['lint of templates', 'eslint', '--max-warnings', '0', '--no-error-on-unmatched-pattern', 'demo', 'test'],
  ['format', 'oxfmt', '--check'],
  ['build', 'tsdown', '--logLevel', 'warn'],
  ['doors of the build', 'node', 'scripts/importDoors.mjs'],
]

const counts = 'node_modules/.cache/test-counts.json'
/** Twice and more what it takes: only a run that hangs meets it. */
const patience = 15 * 60_000

/**
 * `npm test`: all checks, then all tests, and a last line with both together. Arguments are given to vitest.
 *
 * @param {string[]} args
 * @returns {Promise<number>}
 */
export default async function test(args) {
  const deadline = Date.now() + patience
  let passed = 0
  let failed = 0
  /** @param {string[][]} checks one after the other */
  async function check(checks) {
    for (const [name = '', command = '', ...rest] of checks) {
      const began = Date.now()
      const { code, output } = await run(command, rest, { deadline })
      console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`)
      if (code === 0) passed += 1
      else {
        failed += 1
        console.log(output)
      }
    }
  }
  await Promise.all([check(longestCheck), check(otherChecks)])

  mkdirSync('node_modules/.cache', { recursive: true })
  rmSync(counts, { force: true })
  const { code } = await run('vitest', ['run', ...args], {
    deadline,
    show: true,
    env: { NODE_ENV: 'test', RX_OUTBOX_COUNTS: counts },
  })
  const tests = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 0 }
  passed += tests.passed
  failed += tests.failed
  if (code !== 0 && tests.failed === 0) failed += 1

  console.log(`\n${passed} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

/**
 * @param {string} command
 * @param {string[]} args
 * @param {{ deadline: number, show?: boolean, env?: Record<string, string> }} options `deadline` in epoch ms
 * @returns {Promise<{ code: number, output: string }>}
 */
function run(command, args, { deadline, show = false, env = {} }) {
  return new Promise((resolve) => {
    const windows = process.platform === 'win32'
    const child = spawn(command, args, {
      stdio: show ? 'inherit' : 'pipe',
      shell: windows,
      // A group of its own, so that a run that hangs ends together with the browsers it started.
      detached: !windows,
      env: { ...process.env, ...env },
    })
    let output = ''
    child.stdout?.on('data', (chunk) => (output += chunk))
    child.stderr?.on('data', (chunk) => (output += chunk))
    const end = () => (windows || !child.pid ? child.kill() : process.kill(-child.pid, 'SIGKILL'))
    const late = setTimeout(() => {
      console.log(`Stopped: not done after ${patience / 60_000} minutes.`)
      end()
    }, deadline - Date.now())
    const interrupted = () => {
      end()
      process.exit(130)
    }
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted)
    child.once('error', (error) => (output += error.message))
    child.once('close', (code) => {
      clearTimeout(late)
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted)
      resolve({ code: code ?? 1, output })
    })
  })
}
