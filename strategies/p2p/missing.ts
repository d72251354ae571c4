import * as Y from 'yjs'
import { fromBase64 } from '../crdt/base64.ts'
import { versionOf } from '../crdt/change.ts'

/** What somebody lacks who says that it is at `state` (see `versionOf`); all of it where that cannot be read. */
export function missingFrom(doc: Y.Doc, state: string | undefined): Uint8Array | undefined {
  if (state === versionOf(doc)) return undefined
  return Y.encodeStateAsUpdate(doc, state === undefined ? undefined : vectorOf(state))
}

function vectorOf(state: string): Uint8Array | undefined {
  try {
    return Y.encodeStateVector(Y.decodeSnapshot(fromBase64(state)).sv)
  } catch {
    return undefined
  }
}
