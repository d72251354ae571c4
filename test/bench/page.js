import rawIndexedDb from './limits/rawIndexedDb.js'
import rawOpfs from './limits/rawOpfs.js'
import rxOutbox from './rx-outbox.js'

const contenders = { IndexedDB: rawIndexedDb, 'OPFS append': rawOpfs, 'rx-outbox': rxOutbox }

/** 253 bytes of JSON each, every one with an id of its own: nothing can be merged away. */
function itemsOf(count) {
  return Array.from({ length: count }, (_, i) => ({
    entityType: 'order',
    id: `e${String(i).padStart(7, '0')}`,
    data: {
      customer: `customer-${i % 97}`,
      note: `note ${i} lorem ipsum dolor sit amet consectetur adipiscing elit`,
      amount: (i * 7919) % 100_000,
      open: i % 2 === 0,
      tags: [`a${i % 7}`, `b${i % 11}`],
      lines: [
        { sku: `sku-${i % 1009}`, qty: (i % 9) + 1 },
        { sku: `sku-${i % 911}`, qty: (i % 5) + 1 },
      ],
    },
  }))
}

const sinks = {
  noop: async () => undefined,
  http: async (item) => {
    const answer = await fetch('/sink', { method: 'POST', body: JSON.stringify(item) })
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`)
  },
}

async function timed(work) {
  const began = performance.now()
  const result = await work()
  return { ms: performance.now() - began, result }
}

globalThis.bench = {
  /** Fills a queue: all in one tick, or one by one. */
  async fill(name, place, how, count) {
    const contender = contenders[name]
    const items = itemsOf(count)
    await contender.open(place)
    const { ms } = await timed(async () => {
      if (how === 'burst') await contender.enqueue(items)
      else for (const item of items) await contender.enqueueOne(item)
    })
    await contender.close()
    return ms
  },
  /** In a page of its own: opens what was filled, and drains it. */
  async empty(name, place, sink, concurrency, count) {
    const contender = contenders[name]
    const reopened = await timed(() => contender.reopen(place))
    if (reopened.result !== count) throw new Error(`${name}: ${reopened.result} of ${count} came back`)
    let delivered = 0
    const drained = await timed(() =>
      contender.drain(async (item) => {
        await sinks[sink](item)
        delivered++
      }, concurrency),
    )
    if (delivered !== count) throw new Error(`${name}: ${delivered} of ${count} were delivered`)
    await contender.close()
    return { restart: reopened.ms, drain: drained.ms }
  },
}
