import localforage from 'localforage'
import { asyncScheduler, filter, firstValueFrom, of, type SchedulerLike } from 'rxjs'
import { createPersistence, opfsStore, type Receipt } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'
import type { Told } from '../killServer.ts'

/** An app that writes without pause until it is killed. What was acknowledged, it tells the server at once. */
interface Thing {
  id: string
  rev: number
}

const wanted = new URLSearchParams(location.search)
const run = wanted.get('run') ?? ''
const durability = wanted.has('strict') ? 'strict' : 'relaxed'
let rev = Number(wanted.get('first'))

/** The library's own choice, unless another one is wanted; or the same one, so that it tells when it compacts. */
function storage() {
  if (wanted.get('store') === 'localforage') return localforage.INDEXEDDB
  if (wanted.get('do') !== 'compact') return undefined
  const store = opfsStore({ durability })
  const replace: typeof store.replace = (...args) => {
    void tell({ is: 'compacting' })
    return store.replace(...args)
  }
  return { ...store, replace }
}

/** Compacting waits until there is nothing else to do, and no longer than this test wants to. */
const hurried: SchedulerLike = {
  now: () => asyncScheduler.now(),
  schedule: (work, delay = 0, state?) => asyncScheduler.schedule(work, delay / 20, state),
}

void tell({ is: 'opening' })
const outbox = createPersistence<{ thing: Thing }>({
  strategies: { thing: restStrategy<Thing>({ url: '/api/things' }) },
  options: {
    storage: storage(),
    durability,
    concurrency: 2,
    retryConfig: { maxRetries: 1_000, initialDelay: 10, multiplier: 2, maxDelay: 100 },
    breaker: { failures: 5, delay: 10, maxDelay: 100 },
    ...(wanted.get('do') === 'open' && { online$: of(false) }),
    ...(wanted.get('do') === 'compact' && { scheduler: hurried }),
  },
})
const trouble = (what: unknown) => void tell({ is: 'trouble', what: String(what) })
outbox.errors$.subscribe(trouble)
window.addEventListener('error', ({ message }) => trouble(message))
window.addEventListener('unhandledrejection', ({ reason }) => trouble(reason))

async function tell(fact: Told): Promise<void> {
  await fetch('/told', { method: 'POST', body: JSON.stringify(fact) })
}

let unreported: [id: string, rev: number][] = []
let reporting = false

async function report(): Promise<void> {
  if (reporting) return
  reporting = true
  while (unreported.length > 0) await tell({ is: 'acknowledged', revisions: unreported.splice(0) })
  reporting = false
}

const known = new Set<string>()

function write(name: string | number): Receipt {
  const thing = { id: `${run}-${name}`, rev: ++rev }
  const receipt = outbox[known.has(thing.id) ? 'updated' : 'created']('thing', thing)
  known.add(thing.id)
  receipt.durable.then(() => {
    unreported.push([thing.id, thing.rev])
    void report()
  }, trouble)
  return receipt
}

const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))

/** New entities, and new revisions of those of this run. */
async function writeOn(): Promise<never> {
  for (let n = 1; ; n++) {
    write(Math.floor((Math.random() * n) / 4))
    if (Math.random() < 0.4) await pause(Math.random() * 10)
  }
}

/** Much that soon means nothing, so that the journal is written anew. */
async function compactOn(): Promise<never> {
  for (;;) {
    for (let n = 0; n < 200; n++) await write(n % 4).durable
    await drained()
    await pause(200)
  }
}

async function drained(): Promise<void> {
  await outbox.idle()
  const isEmpty = filter((status: { pending: number; processing: number; waiting: number }) => {
    return status.pending + status.processing + status.waiting === 0
  })
  await firstValueFrom(outbox.status$.pipe(isEmpty))
  await outbox.idle()
}

const { storage: used } = await firstValueFrom(outbox.status$.pipe(filter(({ phase }) => phase === 'running')))
if (wanted.get('do') === 'open') {
  await outbox.close()
  await tell({ is: 'closed' })
} else if (wanted.has('beside')) {
  await writeOn()
} else {
  await write('first').durable
  await drained()
  await report()
  await tell({ is: 'drained', where: `${used.kind}, ${used.durability}` })
  await (wanted.get('do') === 'compact' ? compactOn() : writeOn())
}
