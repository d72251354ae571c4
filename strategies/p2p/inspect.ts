import * as Y from 'yjs'

/** What can be told of an update before it is applied. */
export interface Inspected {
  /** It builds on edits that neither it nor the document holds. */
  isIncomplete: boolean
  /** It holds edits in the name under which `doc` writes, that were not made here. */
  isForged: boolean
}

/** @throws an error for what is no update */
export function inspect(doc: Y.Doc, update: Uint8Array): Inspected {
  const { structs, ds } = Y.decodeUpdate(update)
  /** Up to where each author's edits would be known. */
  const known = new Map(Y.decodeStateVector(Y.encodeStateVector(doc)))
  const stateOf = (client: number) => known.get(client) ?? 0
  const own = stateOf(doc.clientID)

  let isIncomplete = false
  for (const { id, length, ...struct } of structs) {
    if (struct instanceof Y.Skip) continue
    if (id.clock > stateOf(id.client)) isIncomplete = true
    else known.set(id.client, Math.max(stateOf(id.client), id.clock + length))
  }
  const isMissing = (id: unknown) => id instanceof Y.ID && id.clock >= stateOf(id.client)
  for (const struct of structs) {
    if (!(struct instanceof Y.Item)) continue
    if ([struct.origin, struct.rightOrigin, struct.parent].some(isMissing)) isIncomplete = true
  }
  for (const [client, ranges] of ds.clients)
    for (const { clock, len } of ranges) if (clock + len > stateOf(client)) isIncomplete = true

  return { isIncomplete, isForged: stateOf(doc.clientID) > own }
}
