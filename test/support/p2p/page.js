// A device that shares notes with others. Its address says how it finds them, and which device it is.
import localforage from 'localforage'
import { firstValueFrom } from 'rxjs'
import { createPersistence } from 'rx-outbox'
import { broadcastChannelSignalling, p2pStrategy, webSocketSignalling } from 'rx-outbox/p2p'

const query = new URLSearchParams(location.search)
const device = query.get('device') ?? 'one'
const relay = query.get('relay')
const strategy = p2pStrategy({
  room: 'test/notes',
  password: query.get('password') ?? 'correct horse battery staple',
  signalling: relay ? webSocketSignalling(relay) : broadcastChannelSignalling(),
  storage: localforage.createInstance({ name: `device-${device}` }),
  acks: Number(query.get('acks') ?? 1),
  text: ['body'],
})
/** @type {unknown[]} */
const trouble = []
let devices = 0
strategy.trouble$.subscribe(({ cause, ...one }) => trouble.push({ ...one, cause: String(cause) }))
strategy.changes$.subscribe()
strategy.devices$.subscribe((count) => (devices = count))

const outbox = createPersistence({ strategies: { note: strategy }, options: { name: `outbox-${device}` } })
globalThis.peer = {
  outbox,
  trouble,
  devices: () => devices,
  /** What is stored here, by id. */
  notes: () =>
    firstValueFrom(
      strategy.pull({ checkpoint: undefined, limit: 10_000, owner: '', signal: new AbortController().signal }),
    ).then(({ changed }) =>
      Object.fromEntries(changed.flatMap((row) => (row instanceof Error ? [] : [[row.id, row.data]]))),
    ),
}
