import { BehaviorSubject, NEVER, of, throwError } from 'rxjs'
import type { Encryption } from '../../lib/api.ts'
import { createPersistence, memoryStore, PermanentError, ServerError } from '../../lib/index.ts'
import { joined } from '../../lib/storage/joined.ts'
import type { Entities } from './opened.ts'
import { note, Remote } from './remote.ts'
import { virtualTime } from './virtualTime.ts'

export const space = 'rx-outbox/'

/** Numbers from 0 up to 1, the same ones for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The bytes of a journal after two runs of an app: merges, marks, retries, dead letters, dependants, a task in flight. */
export async function livedJournal(encryption?: Encryption): Promise<Uint8Array> {
  const storage = memoryStore()
  const time = virtualTime()
  const online$ = new BehaviorSubject(true)
  let ids = 0
  const open = (remote: Remote) =>
    createPersistence<Entities>({
      strategies: { note: remote, tag: remote },
      options: {
        storage,
        online$,
        locks: null,
        scheduler: time.scheduler,
        createId: () => `t${++ids}`,
        retryConfig: { maxRetries: 1, initialDelay: 1_000 },
        ...(encryption && { encryption }),
      },
    })
  const moody = new Remote(({ id }) => {
    if (id === 'n2') return throwError(() => new PermanentError('refused: é'))
    if (id === 'n3') return throwError(() => new ServerError('down', { status: 503 }))
    return id === 'n4' ? NEVER : of({ backendId: `b-${id}`, version: 1 })
  })
  const first = open(moody)
  for (const id of ['n1', 'n2', 'n3']) await first.created('note', note(id, `of ${id} "\\n" €`)).durable
  await time.pass(1_500)
  online$.next(false)
  first.updated('note', note('n1', 'again'))
  first.updated('note', note('n1', 'and again'))
  await first.created('tag', note('__proto__', '{"__proto__":{"polluted":true}}'), {
    dependsOn: [{ entityType: 'note', id: 'n1' }],
    maxAge: 1e9,
  }).durable
  await time.until(first.close())
  online$.next(true)
  const second = open(moody)
  await second.retryAll()
  await second.created('note', note('n4', 'hangs')).durable
  await time.pass(100)
  await time.until(second.close())
  return joined(await storage.read(space, 'leader'))
}

interface Mutation {
  name: string
  bytes: Uint8Array
}

const mutators: Record<string, (bytes: Uint8Array, upTo: (end: number) => number) => Uint8Array> = {
  flip(bytes, upTo) {
    const at = upTo(bytes.length)
    return bytes.with(at, (bytes[at] ?? 0) ^ (1 << upTo(8)))
  },
  truncate: (bytes, upTo) => bytes.slice(0, upTo(bytes.length)),
  delete: (bytes, upTo) => spliced(bytes, upTo(bytes.length), upTo(200)),
  insert: (bytes, upTo) => spliced(bytes, upTo(bytes.length), 0, noise(1 + upTo(20), upTo)),
  overwrite(bytes, upTo) {
    const some = noise(1 + upTo(60), upTo)
    return spliced(bytes, upTo(bytes.length), some.length, some)
  },
  blank(bytes, upTo) {
    const none = new Uint8Array(1 + upTo(300))
    return spliced(bytes, upTo(bytes.length), none.length, none)
  },
  swap(bytes, upTo) {
    const [a = 0, b = 0, c = 0] = [upTo(bytes.length), upTo(bytes.length), upTo(bytes.length)].toSorted((x, y) => x - y)
    return joined([bytes.subarray(0, a), bytes.subarray(b, c), bytes.subarray(a, b), bytes.subarray(c)])
  },
  repeat(bytes, upTo) {
    const at = upTo(bytes.length)
    return spliced(bytes, upTo(bytes.length), 0, bytes.subarray(at, at + upTo(300)))
  },
  'double the tail': (bytes, upTo) => joined([bytes, bytes.subarray(upTo(bytes.length))]),
}
const names = Object.keys(mutators)

/** One to three things that may happen to bytes. */
export function mutated(bytes: Uint8Array, random: () => number): Mutation {
  const upTo = (end: number) => Math.floor(random() * end)
  const mutation: Mutation = { name: '', bytes }
  for (let left = 1 + upTo(3); left > 0 && mutation.bytes.length > 0; left--) {
    const name = names[upTo(names.length)] ?? ''
    mutation.bytes = mutators[name]?.(mutation.bytes, upTo) ?? bytes
    mutation.name += ` ${name}`
  }
  return mutation
}

function spliced(bytes: Uint8Array, at: number, out: number, others: Uint8Array = new Uint8Array(0)): Uint8Array {
  return joined([bytes.subarray(0, at), others, bytes.subarray(at + out)])
}

/** Newlines more often than chance would have them: they are what lines end with. */
function noise(length: number, upTo: (end: number) => number): Uint8Array {
  return Uint8Array.from({ length }, () => (upTo(12) === 0 ? 10 : upTo(256)))
}
