import { NetworkError } from 'rx-outbox'
import type { Attachment, CrdtConnection } from 'rx-outbox/crdt'
import { BehaviorSubject } from 'rxjs'
import * as Y from 'yjs'

/** A device's line to the server: it can be cut, and it can lose an answer. */
export interface Line {
  connection: CrdtConnection
  cut: () => void
  mend: () => void
  /** What is written next arrives, but its acknowledgement does not. */
  loseAnswer: () => void
}

/** Documents in memory, and devices that reach them without sockets. What was deleted is dropped, as servers do. */
export function memoryServer() {
  const docs = new Map<string, Y.Doc>()
  const docOf = (name: string) => {
    const doc = docs.get(name) ?? new Y.Doc()
    docs.set(name, doc)
    return doc
  }

  function line(): Line {
    let online = true
    let losing = false
    const attached = new Set<{ exchange: () => void; synced$: BehaviorSubject<boolean> }>()

    function attach(name: string, doc: Y.Doc): Attachment {
      const remote = docOf(name)
      const origin = {}
      let settled = true
      const synced$ = new BehaviorSubject(false)
      const up = (update: Uint8Array, from: unknown) => {
        if (from === origin) return
        settled = false
        if (online) Y.applyUpdate(remote, update, origin)
      }
      const down = (update: Uint8Array, from: unknown) => {
        if (from !== origin && online) Y.applyUpdate(doc, update, origin)
      }
      const exchange = () => {
        Y.applyUpdate(remote, Y.encodeStateAsUpdate(doc, Y.encodeStateVector(remote)), origin)
        Y.applyUpdate(doc, Y.encodeStateAsUpdate(remote, Y.encodeStateVector(doc)), origin)
        synced$.next(true)
      }
      const one = { exchange, synced$ }
      doc.on('update', up)
      remote.on('update', down)
      attached.add(one)
      if (online) exchange()
      return {
        synced$,
        broken: false,
        settled: async () => {
          await Promise.resolve()
          if (online && !settled && losing) {
            losing = false
            throw new NetworkError('The answer was lost')
          }
          if (!online) throw new NetworkError('The line is cut')
          exchange()
          settled = true
        },
        detach: () => {
          doc.off('update', up)
          remote.off('update', down)
          attached.delete(one)
          synced$.complete()
        },
      }
    }

    return {
      connection: { attach, close: () => {} },
      cut: () => {
        online = false
        for (const { synced$ } of attached) synced$.next(false)
      },
      mend: () => {
        online = true
        for (const { exchange } of attached) exchange()
      },
      loseAnswer: () => {
        losing = true
      },
    }
  }

  return { docs, line }
}
