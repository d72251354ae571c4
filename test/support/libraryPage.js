// What a page without any bundler does. The address says where the worker is, if it is not beside the library.
import { createPersistence, opfsStore } from 'rx-outbox'

const workerUrl = new URLSearchParams(location.search).get('worker') ?? undefined
/** @type {unknown[]} */
const received = []
const outbox = createPersistence({
  strategies: {
    note: {
      persistCreate: async ({ data }) => void received.push(data),
      persistUpdate: async ({ data }) => void received.push(data),
      persistDelete: async () => undefined,
    },
  },
  options: { workerUrl },
})
globalThis.plain = { outbox, received, files: () => opfsStore({ workerUrl }).list('rx-outbox/') }
