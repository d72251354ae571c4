import { setImmediate } from 'node:timers/promises'
import { NetworkError } from 'rx-outbox'
import { beforeEach, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { writeEntity } from '../../../strategies/crdt/entityDoc.ts'
import type { Message } from '../../../strategies/p2p/message.ts'
import type { PeerTrouble } from '../../../strategies/p2p/trouble.ts'
import { allTogether, type Device, deviceIn } from '../../support/p2p/device.ts'
import { type Liar, liarIn } from '../../support/p2p/liar.ts'
import { soon } from '../../support/p2p/soon.ts'
import { type PeerNetwork, peerNetwork } from '../../support/p2p/peerNetwork.ts'

const milk = { id: 'n1', title: 'Milk' }
const hello: Message = { is: 'have', version: 1, device: 'liar', documents: [], last: true, ask: false }

let network: PeerNetwork
let victim: Device
let liar: Liar

beforeEach(async () => {
  network = peerNetwork()
  victim = deviceIn(network, 'victim', { acks: 0 })
  await victim.write('create', milk)
  liar = liarIn(network)
  await soon(() => {
    if (!liar.heard.some(({ is }) => is === 'have')) throw new Error('The victim has not said hello')
  })
})

async function expectTrouble(what: PeerTrouble['what'], message = /./): Promise<void> {
  await soon(() =>
    expect(victim.trouble).toContainEqual(
      expect.objectContaining({ what, peer: 'liar', message: expect.stringMatching(message) }),
    ),
  )
}

/** What the victim has is what it had, and it goes on. */
async function expectUnharmed(): Promise<void> {
  expect(await victim.notes()).toEqual({ n1: milk })
  const friend = deviceIn(network, 'friend')
  await victim.write('create', { id: 'n2', title: 'Bread' })
  await soon(async () => expect(await friend.notes()).toEqual({ n1: milk, n2: { id: 'n2', title: 'Bread' } }))
}

function updateOf(entity: unknown, doc = new Y.Doc()): Uint8Array {
  writeEntity(doc, entity)
  return Y.encodeStateAsUpdate(doc)
}

function firstSent(): Message & { is: 'update' } {
  const found = liar.heard.find((message) => message.is === 'update')
  if (found?.is !== 'update') throw new Error('Nothing was sent')
  return found
}

test.each([
  ['no text', new Uint8Array([255, 254, 0])],
  ['no JSON', new TextEncoder().encode('hello')],
  ['no object', new TextEncoder().encode('null')],
  ['of no known kind', new TextEncoder().encode('{"is":"order"}')],
  ['without a number', new TextEncoder().encode('{"is":"ack","seq":"1"}')],
  ['without an id', new TextEncoder().encode('{"is":"update","seq":1,"id":"","update":""}')],
  ['with half a character as id', new TextEncoder().encode('{"is":"update","seq":1,"id":"\\ud800","update":""}')],
  ['without base64', new TextEncoder().encode('{"is":"update","seq":1,"id":"n1","update":"***"}')],
])('a message that is %s is reported and changes nothing', async (_, bytes) => {
  liar.sayBytes(bytes)
  await expectTrouble('malformed')
  await expectUnharmed()
})

test('an update that is none is refused', async () => {
  liar.say(hello)
  liar.say({ is: 'update', seq: 1, id: 'n1', update: new Uint8Array([9, 9, 9, 9]) })
  await expectTrouble('refused')
  await soon(() => expect(liar.heard.at(-1)).toMatchObject({ is: 'refused', seq: 1 }))
  await expectUnharmed()
})

test('a message above the limit is not even read', async () => {
  liar.sayBytes(new Uint8Array(3_000_000))
  await expectTrouble('oversized')
  await expectUnharmed()
})

test('an update that would make a document too large is refused', async () => {
  const small = deviceIn(network, 'small', { limits: { maxDocumentBytes: 1_000 } })
  await allTogether(victim, small)
  liar.say(hello)
  liar.say({ is: 'update', seq: 1, id: 'n2', update: updateOf({ id: 'n2', title: 'x'.repeat(1_500) }) })
  await soon(() =>
    expect(small.trouble).toMatchObject([
      { what: 'refused', message: expect.stringContaining('bytes in the document') as string },
    ]),
  )
  expect(await small.notes()).toEqual({ n1: milk })
})

test('a peer that sends updates and never says who it is, is asked, not listened to, and stopped in the end', async () => {
  liar.say({ is: 'update', seq: 1, id: 'n3', update: updateOf({ id: 'n3' }) })
  await soon(() => expect(liar.heard).toContainEqual(expect.objectContaining({ is: 'have', ask: true })))
  for (let seq = 2; seq <= 25; seq += 1) liar.say({ is: 'update', seq, id: 'n3', update: updateOf({ id: 'n3' }) })
  await expectTrouble('unexpected')
  await expectTrouble('ignored')
  await expectUnharmed()
})

test('an update that is sent again is reported, and changes nothing', async () => {
  liar.say(hello)
  const update = { is: 'update' as const, seq: 1, id: 'n1', update: updateOf({ id: 'n1', title: 'Milk' }) }
  liar.say(update)
  await soon(() => expect(liar.heard).toContainEqual({ is: 'ack', seq: 1 }))
  liar.say(update)
  await expectTrouble('replayed')
  expect(liar.heard.filter(({ is }) => is === 'ack')).toHaveLength(1)
})

test('an entity under the id of another one is refused', async () => {
  liar.say(hello)
  liar.say({ is: 'update', seq: 1, id: 'n3', update: updateOf({ id: 'n1', title: 'Hijacked' }) })
  await expectTrouble('refused', /another id/)
  expect(victim.changes).toEqual([])
  await expectUnharmed()
})

test('what builds on edits that nobody sends is refused, leaves nothing behind, and keeps nobody from confirming', async () => {
  liar.say(hello)
  const doc = new Y.Doc()
  writeEntity(doc, { id: 'n1', title: 'one' })
  const before = Y.encodeStateVector(doc)
  writeEntity(doc, { id: 'n1', title: 'two' })
  liar.say({ is: 'update', seq: 1, id: 'n1', update: Y.encodeStateAsUpdate(doc, before) })
  await soon(() => expect(liar.heard).toContainEqual(expect.objectContaining({ is: 'refused', seq: 1 })))
  const friend = deviceIn(network, 'friend')
  await soon(async () => expect(await friend.notes()).toEqual({ n1: milk }))
  await friend.write('update', { id: 'n1', title: 'Bread' })
  expect(await victim.notes()).toEqual({ n1: { id: 'n1', title: 'Bread' } })
})

describe('confirmations', () => {
  test('of what it was not sent are reported and count for nobody', async () => {
    const other = deviceIn(network, 'other', { acks: 2 })
    await allTogether(victim, other)
    liar.say(hello)
    const written = other.write('create', { id: 'n5', title: 'Tea' }).catch((error: unknown) => error)
    for (let seq = 100; seq < 103; seq += 1) liar.say({ is: 'ack', seq })
    await expectTrouble('unasked')
    await soon(() => expect(other.trouble).toContainEqual(expect.objectContaining({ what: 'unasked' })))
    // Having said hello, the liar is a device; of what it was really sent it has confirmed nothing.
    await soon(() => expect(victim.changes).toContainEqual(expect.objectContaining({ id: 'n5' })))
    expect(await Promise.race([written, setImmediate('waits')])).toBe('waits')
  })

  test('that come a second time are reported', async () => {
    liar.say(hello)
    await soon(() => firstSent())
    liar.say({ is: 'ack', seq: firstSent().seq })
    liar.say({ is: 'ack', seq: firstSent().seq })
    await expectTrouble('unasked')
  })

  test('under the name of this device are no others’', async () => {
    const other = deviceIn(network, 'other', { patience: 0 })
    network.cut('victim', 'other')
    const device = other.storage.items.get('rx-outbox-p2p/notes/device') as string
    liar.say({ ...hello, device })
    await expect(other.write('create', { id: 'n5' })).rejects.toThrow(NetworkError)
  })
})

test('edits in the name of this device become edits like others, and all agree', async () => {
  const friend = deviceIn(network, 'friend')
  await soon(async () => expect(await friend.notes()).toEqual({ n1: milk }))
  liar.say(hello)
  await soon(() => firstSent())
  // The liar goes on as the author of what it was sent.
  const doc = new Y.Doc({ gc: false })
  Y.applyUpdate(doc, firstSent().update)
  const [author] = [...Y.decodeStateVector(Y.encodeStateVector(doc)).keys()]
  const before = Y.encodeStateVector(doc)
  doc.clientID = author!
  writeEntity(doc, { id: 'n1', title: 'Forged' })
  liar.say({ is: 'update', seq: 1, id: 'n1', update: Y.encodeStateAsUpdate(doc, before) })
  await soon(async () => expect(await victim.notes()).toEqual({ n1: { id: 'n1', title: 'Forged' } }))
  await victim.write('update', { id: 'n1', title: 'Mine again' })
  await soon(async () => expect(await friend.notes()).toEqual({ n1: { id: 'n1', title: 'Mine again' } }))
  expect(await victim.notes()).toEqual(await friend.notes())
})

test('documents beyond the limit are not begun', async () => {
  const small = deviceIn(network, 'small', { limits: { maxDocuments: 2 } })
  await allTogether(victim, small)
  liar.say(hello)
  for (let seq = 1; seq <= 3; seq += 1)
    liar.say({ is: 'update', seq, id: `x${seq}`, update: updateOf({ id: `x${seq}` }) })
  await soon(() => expect(small.trouble).toContainEqual(expect.objectContaining({ what: 'refused', peer: 'liar' })))
  expect(Object.keys(await small.notes())).toHaveLength(2)
})

test('a peer that asks for everything again and again is stopped', async () => {
  for (let count = 0; count < 30; count += 1) liar.say(hello)
  await expectTrouble('flood')
  await expectTrouble('ignored')
  expect(liar.heard.filter(({ is }) => is === 'update').length).toBeLessThanOrEqual(20)
})

test('a peer that sends more than can be worked off is disconnected', async () => {
  const slow = deviceIn(network, 'slow', { limits: { maxBacklog: 10_000 } })
  await soon(() => expect(slow.devices()).toBe(1))
  for (let count = 0; count < 20; count += 1) liar.sayBytes(new Uint8Array(1_000))
  await soon(() => expect(slow.trouble).toContainEqual(expect.objectContaining({ what: 'ignored' })))
})

test('after five offences it is disconnected, and not listened to when it comes again', async () => {
  for (let count = 0; count < 5; count += 1) liar.say({ is: 'ack', seq: 7 })
  await expectTrouble('ignored', /5 offences/)
  await soon(() => expect(liar.isConnected()).toBe(false))
  liar.comeAgain()
  expect(liar.isConnected()).toBe(false)
  await expectUnharmed()
})

test('a peer of a newer protocol is told of, and left alone', async () => {
  liar.say({ ...hello, version: 2 })
  await expectTrouble('version')
  await soon(() => expect(liar.isConnected()).toBe(false))
  await expectUnharmed()
})

test('nothing it names touches a prototype', async () => {
  liar.say(hello)
  const doc = new Y.Doc()
  doc.getMap('entity').set('alive', true)
  doc.getMap('fields').set('id', '__proto__')
  doc.getMap('fields').set('__proto__', { polluted: true })
  liar.say({ is: 'update', seq: 1, id: '__proto__', update: Y.encodeStateAsUpdate(doc) })
  await soon(() => expect(liar.heard).toContainEqual({ is: 'ack', seq: 1 }))
  expect(Reflect.get({}, 'polluted')).toBeUndefined()
  expect(victim.changes.map((change) => 'id' in change && change.id)).toEqual(['__proto__'])
})
