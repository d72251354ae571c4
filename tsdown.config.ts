import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    index: 'lib/index.ts',
    vue: 'lib/composables/index.ts',
    rest: 'strategies/rest.ts',
    testing: 'lib/testing/index.ts',
    // As far from the others as in lib: lib/environment.ts says where it is.
    'storage/opfsWorker': 'lib/storage/opfsWorker.ts',
  },
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  tsconfig: 'tsconfig.lib.json',
})
