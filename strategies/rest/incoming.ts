import {
  NetworkError,
  type PersistenceStrategy,
  type PullPage,
  type RemoteChange,
  type RemoteRow,
  type StandardSchemaV1,
} from 'rx-outbox'
import { concatMap, defer, finalize, first, ReplaySubject, switchMap } from 'rxjs'
import { syncedAt } from './answer.ts'
import { drop, mediaType } from './body.ts'
import type { Answer, Call } from './call.ts'
import { ownField, parseJson } from './json.ts'
import { liveEvents } from './liveEvents.ts'
import type { RestContext } from './options.ts'
import { liveUrl, pageUrl, textOf } from './path.ts'
import { fitted } from './schema.ts'
import { untilAborted } from './untilAborted.ts'

export interface IncomingConfig<T> {
  pull: boolean
  live: boolean | string
  liveSilence: number
  maxBytes: number
  maxPageBytes: number
  schema?: StandardSchemaV1<T>
  fromRow: (row: unknown) => RemoteRow<unknown>
  collection: () => URL
  send: (call: Call, context: RestContext) => Promise<Response>
  exchange: (call: Call, context: RestContext, maxBytes: number) => Promise<Answer>
  refused: (answer: Pick<Answer, 'request' | 'status' | 'headers'>) => Error
}

/** Whose pull came to its end, and where. */
interface Position {
  owner: string
  checkpoint: unknown
}

/** What comes from the server: pages that are asked for, and what it says by itself. */
export function createIncoming<T>(config: IncomingConfig<T>): Pick<PersistenceStrategy<T>, 'pull' | 'changes$'> {
  const { schema, fromRow, collection, send, exchange, refused } = config
  /** Whoever listens next begins there; nobody listens for somebody else. */
  let position$ = new ReplaySubject<Position>(1)

  async function readRow(request: string, row: unknown): Promise<RemoteRow<T> | Error> {
    try {
      const read = fromRow(row)
      const data = schema && typeof read === 'object' ? await fitted(request, schema, read.data) : read?.data
      return { ...read, data: data as T }
    } catch (error) {
      return error instanceof Error ? error : new TypeError('fromRow threw no error', { cause: error })
    }
  }

  const pull: PersistenceStrategy<T>['pull'] = ({ checkpoint, limit, ...context }) =>
    untilAborted(context.signal, async (): Promise<PullPage<T>> => {
      const own$ = position$
      const url = pageUrl(collection(), checkpoint, limit)
      const answer = await exchange({ method: 'GET', url }, context, config.maxPageBytes)
      if (!answer.ok) throw refused(answer)
      const { request, body } = answer
      const rows = ownField(body, 'changed')
      const changed = Array.isArray(rows) ? await Promise.all(rows.map((row) => readRow(request, row))) : rows
      // The outbox looks at each of them.
      const page = {
        changed,
        deleted: ownField(body, 'deleted'),
        checkpoint: ownField(body, 'checkpoint'),
        more: ownField(body, 'more'),
        ...syncedAt(answer),
      } as PullPage<T>
      if (page.more === false) own$.next({ owner: context.owner, checkpoint: page.checkpoint })
      return page
    })

  async function connect({ owner, checkpoint }: Position, signal: AbortSignal) {
    const url = liveUrl(collection(), config.live)
    const request = `GET ${url.pathname}`
    const only = { 'last-event-id': textOf(checkpoint) }
    const response = await send({ method: 'GET', url, accept: 'text/event-stream', only }, { owner, signal })
    const { status, headers, ok } = response
    if (ok && mediaType(response) === 'text/event-stream') return { request, response }
    drop(response)
    if (!ok) throw refused({ request, status, headers })
    throw new NetworkError(`${request} was answered with something else than events`, { status })
  }

  async function changeOf(said: string): Promise<RemoteChange<T>> {
    const change = parseJson(said)
    if (ownField(change, 'hint') === true || ownField(change, 'deleted') === true) return change as RemoteChange<T>
    return readRow('the live events', change) as Promise<RemoteRow<T>>
  }

  const changes$ = defer(() =>
    position$.pipe(
      first(),
      switchMap((position) => liveEvents((signal) => connect(position, signal), config)),
      concatMap(changeOf),
      finalize(() => (position$ = new ReplaySubject(1))),
    ),
  )

  return { ...(config.pull && { pull }), ...(config.live !== false && { changes$ }) }
}
