import { fileURLToPath } from 'node:url'

/**
 * The doors of the package and the file behind each. `tsconfig.json` (paths) and `package.json` (exports) repeat them;
 * test/unit/publicApi.test.ts compares.
 */
export const doors = {
  'rx-outbox': 'lib/index.ts',
  'rx-outbox/vue': 'lib/composables/index.ts',
  'rx-outbox/rest': 'strategies/rest.ts',
  'rx-outbox/merge': 'lib/resolvers/mergeText.ts',
  'rx-outbox/crdt': 'strategies/crdt.ts',
  'rx-outbox/p2p': 'strategies/p2p.ts',
  'rx-outbox/hybrid': 'strategies/hybrid.ts',
  'rx-outbox/testing': 'lib/testing/index.ts',
}

/** `resolve.alias` of Vite: inside this repository the doors lead to the sources. */
export const doorAliases = Object.entries(doors).map(([door, file]) => ({
  find: new RegExp(`^${door}$`),
  replacement: fileURLToPath(new URL(`../${file}`, import.meta.url)),
}))
