import { isPersistenceError, ServerError } from 'rx-outbox'
import * as Y from 'yjs'
import type { Trials } from '../crdt/trials.ts'
import type { Documents } from './documents.ts'
import { inspect } from './inspect.ts'
import type { PeerLimits } from './limits.ts'

/** Whether an entity is the one of this id. */
export type IsOurs = (id: string, data: unknown) => boolean

export type Taken = {
  /** What was new in it. */
  grownBy?: Uint8Array
  /** It holds edits in this device's own name that this device did not make. */
  forged?: true
} & (
  | { is: 'stored' }
  /** It builds on what is not here. */
  | { is: 'incomplete'; why: string }
  /** It is malformed, or too much. */
  | { is: 'refused'; why: string; cause: unknown }
  /** It could not be stored here, through no fault of the peer. */
  | { is: 'failed'; why: string; cause: unknown }
)

/** Applies a peer's update and stores the document; what is not taken leaves no trace. */
export async function takeUpdate(
  { documents, limits, isOurs, trials }: { documents: Documents; limits: PeerLimits; isOurs: IsOurs; trials: Trials },
  id: string,
  update: Uint8Array,
): Promise<Taken> {
  const isNew = !documents.has(id)
  if (isNew && documents.size >= limits.maxDocuments)
    return { is: 'refused', why: `there are ${documents.size} documents already`, cause: undefined }
  let taken: { grownBy?: Uint8Array; forged?: true }
  try {
    const doc = isNew ? new Y.Doc() : documents.get(id)
    const { isIncomplete, isForged } = inspect(doc, update)
    if (isIncomplete) return { is: 'incomplete', why: 'it builds on updates that did not come' }
    const state = await trials.examine(doc, update)
    if (state.is === 'alive' && !isOurs(id, state.data)) throw new ServerError('it holds an entity of another id')
    if (isNew) doc.destroy()
    // Two authors of one name would contradict each other: from now on this device writes under another one.
    if (isForged) doc.clientID = new Y.Doc().clientID
    taken = { ...grown(documents.get(id), update), ...(isForged && { forged: true }) }
  } catch (cause) {
    return { is: 'refused', why: reasonOf(cause), cause }
  }
  try {
    await documents.save(id)
  } catch (cause) {
    return { ...taken, is: 'failed', why: reasonOf(cause), cause }
  }
  return { ...taken, is: 'stored' }
}

function grown(doc: Y.Doc, update: Uint8Array): { grownBy?: Uint8Array } {
  let grownBy: Uint8Array | undefined
  const note = (delta: Uint8Array) => {
    grownBy = delta
  }
  doc.on('update', note)
  Y.applyUpdate(doc, update)
  doc.off('update', note)
  return grownBy ? { grownBy } : {}
}

function reasonOf(cause: unknown): string {
  return isPersistenceError(cause) ? cause.message : 'it is no update'
}
