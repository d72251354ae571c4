import { concatMap, defer, finalize, type Observable, tap } from 'rxjs'
import { versionOf } from '../crdt/change.ts'
import type { Trials } from '../crdt/trials.ts'
import type { Documents } from './documents.ts'
import { type PeerLimits, messageLimit } from './limits.ts'
import { decodeMessage, encodeMessage, type Message, protocolVersion } from './message.ts'
import { missingFrom } from './missing.ts'
import { type IsOurs, takeUpdate } from './takeUpdate.ts'
import type { PeerLink } from './transport.ts'
import type { PeerTrouble, ReportTrouble } from './trouble.ts'

/** What became of an update that was sent to a peer. */
export type Confirmed = (device: string) => void

/** The talk with one peer. */
export interface Conversation {
  link: PeerLink
  /** The peer's device, once it said what it has and was sent what it lacks. */
  readonly device: string | undefined
  /** Sends an update; `confirmed` is called when the peer has applied and stored it. */
  offer: (id: string, update: Uint8Array, confirmed?: Confirmed) => void
}

export interface ConversationContext {
  documents: Documents
  limits: PeerLimits
  isOurs: IsOurs
  trials: Trials
  report: ReportTrouble
  /** The peer was sent what it lacks: now it may be sent news. Again, when it had to ask again. */
  ready: (conversation: Conversation) => void
  /** A document has grown by an update of this peer. */
  grown: (id: string, update: Uint8Array, from: Conversation) => void
  /** The peer has offended too often: it is not to be listened to again. */
  ban: (peer: string) => void
}

/** Bytes of a message that says what this device has. */
const partBytes = 65_536

/**
 * Says hello, and answers until the peer is gone. Messages are worked off one after the other; what a peer does wrong
 * is told, and costs it the connection in the end.
 */
export function converse(
  link: PeerLink,
  { documents, limits, isOurs, trials, report, ready, grown, ban }: ConversationContext,
): { conversation: Conversation; run$: Observable<unknown> } {
  const { peer } = link
  /** What was sent and not answered yet, by number. */
  const open = new Map<number, Confirmed | undefined>()
  const theirs = new Map<string, string>()
  let device: string | undefined
  let sent = 0
  let received = 0
  let requests = 0
  let asked = 0
  let offences = 0
  let backlog = 0
  let isOver = false

  const tell = (what: PeerTrouble['what'], message: string, cause?: unknown) =>
    report({ what, message, peer, ...(cause !== undefined && { cause }) })
  const send = (message: Message) => link.send(encodeMessage(message))

  function end(why: string): void {
    if (isOver) return
    isOver = true
    ban(peer)
    tell('ignored', why)
    link.close()
  }

  function offence(what: PeerTrouble['what'], message: string, cause?: unknown): void {
    if (isOver) return
    tell(what, message, cause)
    offences += 1
    if (offences >= limits.maxOffences) end(`The peer was disconnected after ${offences} offences`)
  }

  const conversation: Conversation = {
    link,
    get device() {
      return device
    },
    offer(id, update, confirmed) {
      sent += 1
      open.set(sent, confirmed)
      send({ is: 'update', seq: sent, id, update })
    },
  }

  function sayWhatIsHere(ask = false): void {
    let part: [string, string][] = []
    let bytes = 0
    const flush = (last: boolean) => {
      send({ is: 'have', version: protocolVersion, device: documents.device, documents: part, last, ask: last && ask })
      part = []
      bytes = 0
    }
    for (const id of documents.ids()) {
      const state = versionOf(documents.get(id))
      if (bytes > 0 && bytes + id.length + state.length > partBytes) flush(false)
      part.push([id, state])
      bytes += id.length + state.length
    }
    flush(true)
  }

  function heardWhatIsThere(message: Message & { is: 'have' }): void {
    if (message.version > protocolVersion) {
      tell('version', `The peer speaks version ${message.version} of the protocol; this one is ${protocolVersion}`)
      isOver = true
      link.close()
      return
    }
    for (const [id, state] of message.documents) theirs.set(id, state)
    if (theirs.size > limits.maxDocuments + documents.size)
      return offence('oversized', `The peer says it has ${theirs.size} documents`)
    if (!message.last) return
    requests += 1
    if (requests > limits.maxRequests) return offence('flood', 'The peer asks for everything again and again')
    for (const id of documents.ids()) {
      const update = missingFrom(documents.get(id), theirs.get(id))
      if (update) conversation.offer(id, update)
    }
    theirs.clear()
    device = message.device
    ready(conversation)
    if (message.ask) sayWhatIsHere()
  }

  async function heardUpdate({ seq, id, update }: Message & { is: 'update' }): Promise<void> {
    if (seq <= received) return offence('replayed', `The peer sent its update ${seq} again`)
    const isComplete = seq === received + 1
    received = seq
    // What it said first got lost; it will send this again.
    if (device === undefined) return askAgain()
    const taken = await takeUpdate({ documents, limits, isOurs, trials }, id, update)
    if (isOver) return
    if (taken.grownBy) grown(id, taken.grownBy, conversation)
    if (taken.forged) tell('forged', `Somebody edited ${id} in the name of this device; it goes on under another one`)
    if (taken.is === 'stored') send({ is: 'ack', seq })
    else {
      send({ is: 'refused', seq, why: taken.why })
      if (taken.is === 'refused') offence('refused', `An update of ${id} was not taken: ${taken.why}`, taken.cause)
      if (taken.is === 'failed') report({ what: 'storage', message: taken.why, cause: taken.cause })
    }
    // Something got lost on the way: what is missing is to be sent again.
    if (!isComplete || taken.is === 'incomplete') askAgain()
  }

  function askAgain(): void {
    asked += 1
    if (asked > limits.maxRequests) offence('unexpected', 'What the peer sends builds on what it does not send')
    else sayWhatIsHere(device === undefined)
  }

  function heardAnswer(message: Message & { is: 'ack' | 'refused' }): void {
    const { seq } = message
    if (device === undefined || !open.has(seq))
      return offence('unasked', `The peer answered an update ${seq} that waits for no answer`)
    const confirmed = open.get(seq)
    open.delete(seq)
    if (message.is === 'ack') confirmed?.(device)
    else tell('refused', `The peer did not take an update: ${message.why}`)
  }

  async function hear(bytes: Uint8Array): Promise<void> {
    backlog -= bytes.length
    if (isOver) return
    if (bytes.length > messageLimit(limits)) return offence('oversized', `A message of ${bytes.length} bytes`)
    let message: Message
    try {
      message = decodeMessage(bytes)
    } catch (cause) {
      return offence('malformed', 'A message cannot be read', cause)
    }
    if (message.is === 'have') heardWhatIsThere(message)
    else if (message.is === 'update') await heardUpdate(message)
    else heardAnswer(message)
  }

  const run$ = defer(() => {
    sayWhatIsHere()
    return link.messages$.pipe(
      tap(({ length }) => {
        backlog += length
        if (backlog > limits.maxBacklog) end('The peer sends more than can be worked off')
      }),
      concatMap((bytes) => hear(bytes)),
      finalize(() => {
        isOver = true
        open.clear()
      }),
    )
  })
  return { conversation, run$ }
}
