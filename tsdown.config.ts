import { defineConfig } from 'tsdown'

const common = { platform: 'neutral', target: 'es2022', tsconfig: 'tsconfig.lib.json' } as const

export default defineConfig([
  {
    ...common,
    entry: {
      index: 'lib/index.ts',
      vue: 'lib/composables/index.ts',
      rest: 'strategies/rest.ts',
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
  },
])
