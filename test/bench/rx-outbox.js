// @kind project
// @title rx-outbox, OPFS store
// @packages rxjs, localforage
// @durable the receipt's `durable`: write() of the group that holds the task returned in the worker (kept when the browser is killed, not on power loss)
// @drain tasks are marked ahead in groups, settled behind in groups; awaited with idle()
// @size export { createPersistence } from 'rx-outbox'
import { of } from 'rxjs'
import { createPersistence } from 'rx-outbox'
import workerSource from 'rx-outbox/opfsWorkerSource.js'

// The bench bundles into one script, beside which there is no worker.
const workerUrl = URL.createObjectURL(new Blob([workerSource], { type: 'text/javascript' }))
let persistence
let deliver
let width = 1

function open(name, concurrency) {
  const send = ({ id, entityType, data }) => deliver({ id, entityType, data })
  const order = { persistCreate: send, persistUpdate: send, persistDelete: () => of(undefined) }
  width = concurrency
  return createPersistence({ strategies: { order }, options: { name, concurrency, workerUrl } })
}

export default {
  name: 'rx-outbox',
  async open(name) {
    persistence = open(name, 1)
    await persistence.pause()
    await persistence.metadata('order')
  },
  enqueueOne: ({ entityType, data, id }) => persistence.created(entityType, { ...data, id }).durable,
  enqueue: (items) =>
    Promise.all(items.map(({ entityType, data, id }) => persistence.created(entityType, { ...data, id }).durable)),
  close: () => persistence.close(),
  async reopen(name) {
    this.dbName = name
    persistence = open(name, 1)
    await persistence.pause()
    await persistence.metadata('order', '')
    const status = await new Promise((resolve) => {
      const reading = persistence.status$.subscribe((now) => {
        if (now.phase === 'running') queueMicrotask(() => (reading.unsubscribe(), resolve(now)))
      })
    })
    return status.waiting + status.pending
  },
  async drain(sink, concurrency) {
    deliver = sink
    if (concurrency !== width) {
      await persistence.close()
      persistence = open(this.dbName, concurrency)
    } else await persistence.resume()
    await persistence.idle()
  },
  async remaining() {
    const { pending, waiting, processing } = await new Promise((resolve) => {
      const reading = persistence.status$.subscribe((now) =>
        queueMicrotask(() => (reading.unsubscribe(), resolve(now))),
      )
    })
    return pending + waiting + processing
  },
}
