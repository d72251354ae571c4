import { readFileSync, writeFileSync } from 'node:fs'
import { defineConfig } from 'tsdown'

const common = { platform: 'neutral', target: 'es2022', tsconfig: 'tsconfig.lib.json' } as const

export default defineConfig([
  {
    ...common,
    entry: {
      index: 'lib/index.ts',
      vue: 'lib/composables/index.ts',
      rest: 'strategies/rest.ts',
      merge: 'lib/resolvers/mergeText.ts',
      crdt: 'strategies/crdt.ts',
      p2p: 'strategies/p2p.ts',
      hybrid: 'strategies/hybrid.ts',
      testing: 'lib/testing/index.ts',
    },
    dts: true,
  },
  {
    ...common,
    // By itself, so that it is one file that can be put anywhere; as far from the others as lib/environment.ts says.
    entry: { 'storage/opfsWorker': 'lib/storage/opfsWorker.ts' },
    dts: false,
    clean: false,
    // For bundlers that know no workers (esbuild, scripts that are no modules): its text, to make a URL of.
    onSuccess({ outDir }) {
      const source = JSON.stringify(readFileSync(`${outDir}/storage/opfsWorker.js`, 'utf8'))
      writeFileSync(`${outDir}/storage/opfsWorkerSource.js`, `export default ${source}\n`)
      writeFileSync(`${outDir}/storage/opfsWorkerSource.d.ts`, 'declare const source: string\nexport default source\n')
    },
  },
  {
    ...common,
    // By itself, too, with all that it needs: a worker of a page without a bundler finds no packages.
    entry: { trialWorker: 'strategies/crdt/trialWorker.ts' },
    platform: 'browser',
    deps: { alwaysBundle: /./ },
    dts: false,
    clean: false,
  },
])
