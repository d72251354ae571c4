import localforage from 'localforage'
import * as Y from 'yjs'
import { readEntity } from './entityDoc.ts'

/** Where copies of documents are kept; an instance of localforage is one. */
export interface DocumentStorage {
  getItem: (key: string) => Promise<unknown>
  setItem: (key: string, value: Uint8Array) => Promise<unknown>
}

/** Above this, what was deleted is dropped from a copy: an edit that was based on it may bring it back. */
const wholeUpTo = 262_144

/** IndexedDB, where there is one. */
export function browserStorage(storeName: string): typeof localforage | undefined {
  return 'indexedDB' in globalThis ? localforage.createInstance({ name: 'rx-outbox', storeName }) : undefined
}

/** A copy that cannot be read is as good as none: the server has it all. */
export async function loadCopy(storage: DocumentStorage | undefined, key: string): Promise<Y.Doc> {
  const doc = new Y.Doc({ gc: false })
  try {
    const bytes = await storage?.getItem(key)
    if (!(bytes instanceof Uint8Array)) return doc
    Y.applyUpdate(doc, bytes)
    readEntity(doc)
    return doc
  } catch {
    return new Y.Doc({ gc: false })
  }
}

/** What the server has is copied, never what it has not acknowledged: that is in the outbox. */
export async function storeCopy(storage: DocumentStorage | undefined, key: string, doc: Y.Doc): Promise<void> {
  if (!storage) return
  const bytes = Y.encodeStateAsUpdate(doc)
  try {
    await storage.setItem(key, bytes.length > wholeUpTo ? withoutDeleted(bytes) : bytes)
  } catch {
    // It costs a download, and is tried again after the next change.
  }
}

function withoutDeleted(bytes: Uint8Array): Uint8Array {
  const doc = new Y.Doc()
  Y.applyUpdate(doc, bytes)
  return Y.encodeStateAsUpdate(doc)
}
