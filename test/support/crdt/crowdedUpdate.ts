import * as Y from 'yjs'

/** One field, set by that many devices that know nothing of each other: each is compared with all the others. */
export function crowdedUpdate(devices: number): Uint8Array {
  const updates = Array.from({ length: devices }, (_, at) => {
    const doc = new Y.Doc()
    doc.clientID = at + 1
    doc.getMap('fields').set('title', at)
    return Y.encodeStateAsUpdate(doc)
  })
  return merged(updates)
}

/** By groups: Yjs takes the square of their number. */
function merged(updates: Uint8Array[]): Uint8Array {
  if (updates.length <= 64) return Y.mergeUpdates(updates)
  const groups = Array.from({ length: Math.ceil(updates.length / 64) }, (_, at) => updates.slice(at * 64, at * 64 + 64))
  return merged(groups.map((group) => Y.mergeUpdates(group)))
}

/** An entity of many fields, each written by itself: much, but nothing of it at the same place. */
export function largeUpdate(fields: number): Uint8Array {
  const doc = new Y.Doc()
  doc.getMap('entity').set('alive', true)
  for (let at = 0; at < fields; at++) doc.getMap('fields').set(`f${at}`, at)
  return Y.encodeStateAsUpdate(doc)
}
