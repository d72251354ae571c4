import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: {
    index: 'lib/index.ts',
    vue: 'lib/composables/index.ts',
    rest: 'strategies/rest.ts',
    testing: 'lib/testing/index.ts',
  },
  platform: 'neutral',
  target: 'es2022',
  dts: true,
  tsconfig: 'tsconfig.lib.json',
})
