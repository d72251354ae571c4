import { pathToFileURL } from 'node:url'
import { buildDemo, demoServer } from './demo.mjs'

/** `npm start`: the demo and its API, until it is stopped. */
export default async function start() {
  await buildDemo()
  return serve()
}

/** Runs the built server in this process, so that whoever ends this one ends the server; resolves once it has started. */
export async function serve() {
  process.setSourceMapsEnabled(true)
  endWithParent()
  await import(pathToFileURL(demoServer).href)
  return process.exitCode
}

/** npm passes a signal to its shell, and the shell ends without passing it on: the server would keep its port and folder. */
function endWithParent() {
  if (!process.env['npm_lifecycle_event']) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM')
  }, 300).unref()
}
