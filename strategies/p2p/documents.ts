import { StorageError } from 'rx-outbox'
import * as Y from 'yjs'
import { uniqueName } from '../crdt/uniqueName.ts'
import type { ReportTrouble } from './trouble.ts'

/** Where documents are kept: an instance of localforage, or anything that stores bytes by key as it does. */
export interface DocumentStorage {
  getItem: (key: string) => Promise<unknown>
  setItem: (key: string, value: unknown) => Promise<unknown>
  keys: () => Promise<string[]>
}

/** How a document was read or stored last. */
export interface Stamp {
  /** Grows with each document that was read or stored here. */
  place: number
  /** Who stored it, and its place there. */
  run: string
  revision: number
  /** The latest era when it was stored. */
  era: number
}

/** The documents of one room on this device, all of them in memory and stored. */
export interface Documents {
  /** This device: its tabs are one, and it is another one when its storage was cleared. */
  device: string
  /** These documents in memory: several tabs may have them, and store them. */
  run: string
  /** One higher each time that somebody opened the documents of this device. */
  era: number
  /** Up to this place everything is stored. */
  readonly settled: number
  readonly size: number
  has: (id: string) => boolean
  /** Begins an empty one where there is none. */
  get: (id: string) => Y.Doc
  ids: () => string[]
  /** `undefined` for one that was not stored yet. */
  stampOf: (id: string) => Stamp | undefined
  /** Resolves when what the document holds now is stored. */
  save: (id: string) => Promise<void>
}

interface Kept {
  doc: Y.Doc
  stamp?: Stamp
  /** The write under way, and the one that waits for it. */
  writing?: Promise<void> | undefined
  next?: Promise<void> | undefined
}

/**
 * Reads what is stored under `prefix`. Bytes that cannot be read are put aside, and told.
 * @throws StorageError when the storage cannot be read
 */
export async function openDocuments(
  storage: DocumentStorage,
  prefix: string,
  report: ReportTrouble,
): Promise<Documents> {
  const keyOf = (id: string) => `${prefix}document/${id}`
  const kept = new Map<string, Kept>()
  const run = uniqueName()
  /** Places of what is being stored. */
  const open = new Set<number>()
  let place = 0

  const latestEra = async () => Number(await storage.getItem(`${prefix}era`)) || 0
  const device = await attempted('The device has no name', () => nameOfDevice(storage, `${prefix}device`))
  // Told before anything is read: what others store from now on is newer than what is read here.
  const era = await attempted('The documents cannot be opened', async () => {
    const mine = (await latestEra()) + 1
    await storage.setItem(`${prefix}era`, mine)
    return mine
  })
  const stored = await attempted('The documents cannot be read', () => storage.keys())
  const read: [id: string, doc: Y.Doc, stamp: Omit<Stamp, 'place'>][] = []
  for (const key of stored.filter((one) => one.startsWith(keyOf('')))) {
    const id = key.slice(keyOf('').length)
    const value = await attempted(`The document ${id} cannot be read`, () => storage.getItem(key))
    try {
      const record = recordOf(value)
      const doc = emptyDoc()
      Y.applyUpdate(doc, record.update)
      read.push([id, doc, record.stamp])
    } catch (cause) {
      const aside = `${prefix}unreadable/${id}`
      await attempted(`The document ${id} cannot be put aside`, () => storage.setItem(aside, value))
      report({ what: 'storage', message: `The document ${id} cannot be read; it was put aside as ${aside}`, cause })
    }
  }

  // In one order for all runs, so that one goes on where another one ended.
  for (const [id, doc, stamp] of read.sort(([, , a], [, , b]) => inOrder(a, b)))
    kept.set(id, { doc, stamp: { ...stamp, place: ++place } })

  function entryOf(id: string): Kept {
    const found = kept.get(id)
    if (found) return found
    const made: Kept = { doc: emptyDoc() }
    kept.set(id, made)
    return made
  }

  async function write(id: string, entry: Kept): Promise<void> {
    await attempted(`The document ${id} cannot be stored`, async () => {
      // Another tab may have stored since.
      const before = readable(await storage.getItem(keyOf(id)))
      const { run: by, revision } = entry.stamp ?? {}
      if (before && (before.stamp.run !== by || before.stamp.revision !== revision))
        Y.applyUpdate(entry.doc, before.update)
      const stamp = { run, era: await latestEra(), revision: ++place }
      open.add(stamp.revision)
      try {
        const record: StoredDocument = { stamp, update: Y.encodeStateAsUpdate(entry.doc) }
        await storage.setItem(keyOf(id), record)
        entry.stamp = { ...stamp, place: stamp.revision }
      } finally {
        open.delete(stamp.revision)
      }
    })
  }

  return {
    device,
    run,
    era,
    get settled() {
      return Math.min(place, ...[...open].map((one) => one - 1))
    },
    get size() {
      return kept.size
    },
    has: (id) => kept.has(id),
    get: (id) => entryOf(id).doc,
    ids: () => [...kept.keys()],
    stampOf: (id) => kept.get(id)?.stamp,
    save(id) {
      const entry = entryOf(id)
      if (entry.next) return entry.next
      const begin = () => {
        entry.next = undefined
        const writing = write(id, entry).finally(() => {
          if (entry.writing === writing) entry.writing = undefined
        })
        entry.writing = writing
        return writing
      }
      if (!entry.writing) return begin()
      // What changed since that one began needs another one, which may fail or not by itself.
      entry.next = entry.writing.then(begin, begin)
      return entry.next
    },
  }
}

/** The order in which documents were stored, as far as there is one. */
export function inOrder(a: Omit<Stamp, 'place'>, b: Omit<Stamp, 'place'>): number {
  return a.era - b.era || (a.run === b.run ? a.revision - b.revision : a.run < b.run ? -1 : 1)
}

/** What was deleted stays findable: an edit starts from what the app had seen. */
function emptyDoc(): Y.Doc {
  return new Y.Doc({ gc: false })
}

interface StoredDocument {
  stamp: Omit<Stamp, 'place'>
  update: Uint8Array
}

/** @throws an error for what is none, or damaged */
function recordOf(value: unknown): StoredDocument {
  const { stamp, update } = Object(value) as { stamp?: unknown; update?: unknown }
  const { run, era, revision } = Object(stamp) as { run?: unknown; era?: unknown; revision?: unknown }
  const isStamped = typeof run === 'string' && typeof era === 'number' && typeof revision === 'number'
  if (!isStamped || !(update instanceof Uint8Array)) throw new TypeError('This is no stored document')
  Y.decodeUpdate(update)
  return { stamp: { run, era, revision }, update }
}

/** What is damaged was put aside at the start. */
function readable(value: unknown): StoredDocument | undefined {
  try {
    return recordOf(value)
  } catch {
    return undefined
  }
}

async function nameOfDevice(storage: DocumentStorage, key: string): Promise<string> {
  const known = await storage.getItem(key)
  if (typeof known === 'string') return known
  const made = uniqueName()
  await storage.setItem(key, made)
  return made
}

async function attempted<T>(failure: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (cause) {
    throw new StorageError(failure, { cause })
  }
}
