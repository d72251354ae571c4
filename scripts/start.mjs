import { spawn } from 'node:child_process'
import { buildDemo, demoServer } from './demo.mjs'

/** `npm start`: the demo and its API, until it is stopped. */
export default async function start() {
  await buildDemo()
  return serve()
}

/**
 * Runs the built server; resolves with its exit code.
 *
 * @param {NodeJS.ProcessEnv} [env]
 * @returns {Promise<number>}
 */
export function serve(env = {}) {
  const server = spawn(process.execPath, ['--enable-source-maps', demoServer], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  })
  // A terminal tells both processes; a supervisor tells only this one.
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
    process.on(signal, () => server.kill(signal))
  return new Promise((resolve) => server.once('exit', (code) => resolve(code ?? 0)))
}
