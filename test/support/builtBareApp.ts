import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { doorAliases } from '../../scripts/doors.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where the app of test/browser/app is, once it is built. */
export const bareApp = `${root}node_modules/.cache/bare-app`

/** Built once, before the first test that opens it. */
export default async function setup(): Promise<void> {
  await build({
    configFile: false,
    root: `${root}test/browser/app`,
    logLevel: 'warn',
    resolve: { alias: doorAliases },
    build: { outDir: bareApp, emptyOutDir: true, target: 'es2022', modulePreload: false },
  })
}
