import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { doorAliases } from './doors.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const cache = join(root, 'node_modules/.cache/demo')
const stamp = join(cache, 'sources')
const sources = ['demo/app', 'demo/server', 'lib', 'strategies', 'scripts', 'package-lock.json']

/** How Vite serves and builds the app. */
export const appConfig = join(root, 'demo/app/vite.config.ts')

/** The server of the demo as Node runs it. Its working folder is the root of the repository. */
export const demoServer = join(cache, 'main.mjs')

/** Builds the demo, unless nothing it is made of has changed: the app to demo/dist, the server to `demoServer`. */
export async function buildDemo() {
  const wanted = digest()
  const built = [stamp, demoServer, join(root, 'demo/dist/index.html')].every((file) => existsSync(file))
  if (built && readFileSync(stamp, 'utf8') === wanted) return
  console.log('Building the demo.')
  const { build } = await import('vite')
  await build({ configFile: appConfig, logLevel: 'warn' })
  await buildDemoServer()
  writeFileSync(stamp, wanted)
}

/** Node 20 runs no TypeScript; packages stay outside the bundle. */
export async function buildDemoServer() {
  const { build } = await import('vite')
  await build({
    configFile: false,
    root: join(root, 'demo/server'),
    logLevel: 'warn',
    resolve: { alias: doorAliases },
    build: {
      ssr: join(root, 'demo/server/main.ts'),
      target: 'node20',
      outDir: cache,
      emptyOutDir: true,
      sourcemap: true,
      rolldownOptions: { output: { entryFileNames: 'main.mjs' } },
    },
  })
}

function digest() {
  const hash = createHash('sha256')
  for (const file of sources.flatMap(files).sort()) hash.update(file).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function files(path) {
  const absolute = join(root, path)
  if (!existsSync(absolute)) return []
  try {
    return readdirSync(absolute).flatMap((name) => files(`${path}/${name}`))
  } catch {
    return [path]
  }
}
