import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { doorAliases } from './scripts/doors.mjs'
import { resolveChromium } from './test/support/chromium.ts'
import { Counts } from './test/support/counts.ts'

const inBrowser = '**/*.browser.test.ts'
const withIndexedDb = '**/*.indexedDb.test.ts'

/** A module is loaded once by each worker, and not once by each of 140 files. */
const inNode = {
  environment: 'node',
  isolate: false,
  maxWorkers: availableParallelism(),
  // Against hanging: on a busy machine property tests take their time.
  testTimeout: 30_000,
} as const
const chromium = await resolveChromium()

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [vue()],
  resolve: { alias: doorAliases },
  test: {
    // Asking for a name would need a hosts file that knows it.
    api: { host: '127.0.0.1' },
    allowOnly: false,
    // A snapshot that is missing fails; -u writes it, for a review.
    update: 'none',
    reporters: ['default', new Counts()],
    projects: [
      {
        extends: true,
        test: {
          ...inNode,
          name: 'unit',
          include: ['test/{unit,contract,simulation}/**/*.test.ts'],
          exclude: [inBrowser, withIndexedDb],
          setupFiles: ['test/support/seeded.ts'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          ...inNode,
          name: 'unit with IndexedDB',
          include: [`test/{unit,contract}/${withIndexedDb}`],
          // localforage looks for it while it is loaded.
          setupFiles: ['fake-indexeddb/auto'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        optimizeDeps: {
          // All that tests import: found late, Vite would reload the page in the middle of a run.
          include: [
            '@hocuspocus/provider',
            '@vueuse/core',
            '@vueuse/rxjs',
            'fast-check',
            'ky',
            'localforage',
            'pinia',
            'rxjs',
            'rxjs/testing',
            'vue',
            'yjs',
            'zod',
            'zod/mini',
          ],
        },
        test: {
          name: 'browser',
          include: [`test/{browser,contract}/${inBrowser}`],
          testTimeout: 30_000,
          sequence: { groupOrder: 1 },
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromium }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          environment: 'node',
          include: ['test/{browser,kills}/**/*.e2e.test.ts', 'test/tabs/**/*.test.ts'],
          globalSetup: ['builtDemo', 'builtBareApp', 'startedDemo'].map((name) => `./test/support/${name}.ts`),
          testTimeout: 60_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
          isolate: false,
          // They share a server, and each has a browser of its own: two at once would starve each other.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
