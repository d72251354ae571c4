import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build as bundle } from 'tsdown'
import { build } from 'vite'
import configs from '../../tsdown.config.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Where a page without a bundler finds the library, as it is published, and what it needs. */
export const libraryPage = `${root}node_modules/.cache/library-page`

/** What the library imports, and all of it. */
const needed = {
  rxjs: "export * from 'rxjs'",
  'rxjs/webSocket': "export * from 'rxjs/webSocket'",
  yjs: "export * from 'yjs'",
  '@trystero-p2p/core': "export * from '@trystero-p2p/core'",
  localforage: "export { default } from 'localforage'",
  'zod/mini': "export * from 'zod/mini'",
}

const fileOf = (name: string) => name.replace('/', '-').replace('@', '')

/** Builds the library as `npm run build` does, without the types, and its dependencies as one file each. */
export async function buildLibraryPage(): Promise<void> {
  for (const config of configs) {
    await bundle({ ...config, config: false, dts: false, cwd: root, outDir: `${libraryPage}/dist`, logLevel: 'warn' })
  }
  const entry: Record<string, string> = {}
  mkdirSync(`${libraryPage}/sources`, { recursive: true })
  for (const [name, source] of Object.entries(needed)) {
    entry[fileOf(name)] = `${libraryPage}/sources/${fileOf(name)}.js`
    writeFileSync(`${libraryPage}/sources/${fileOf(name)}.js`, source)
  }
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    build: {
      outDir: `${libraryPage}/deps`,
      emptyOutDir: true,
      lib: { entry, formats: ['es'], fileName: (_, name) => `${name}.js` },
    },
  })
  const imports = Object.fromEntries([
    ...Object.keys(needed).map((name) => [name, `/deps/${fileOf(name)}.js`]),
    ['rx-outbox', '/dist/index.js'],
    ['rx-outbox/p2p', '/dist/p2p.js'],
  ])
  for (const [page, script] of [
    ['index.html', 'libraryPage.js'],
    ['p2p.html', 'p2p/page.js'],
  ] as const) {
    writeFileSync(
      `${libraryPage}/${page}`,
      `<!doctype html><meta charset="utf-8"><title>plain</title><link rel="icon" href="data:,">
<script type="importmap" nonce="abc">${JSON.stringify({ imports })}</script>
<script type="module" src="/${page}.js"></script>`,
    )
    writeFileSync(`${libraryPage}/${page}.js`, readFileSync(new URL(`./${script}`, import.meta.url)))
  }
}
