import { filter, type Observable, Subject } from 'rxjs'
import type { EventBus } from '../api.ts'
import type { RemoteNews } from '../events.ts'
import { type Lane, laneKey } from '../outbox/lane.ts'
import type { PersistenceMetadata } from '../types.ts'
import type { Views } from './metadata.ts'
import type { Row } from './readRow.ts'
import { changeOf } from './taking.ts'

type Untyped = Record<string, unknown>

/** These rows are the app's now; `lanes` say what is known of them. */
export type TellRemote = (entityType: string, rows: readonly Row[], lanes: ReadonlyMap<string, Lane>) => void

const nothing: PersistenceMetadata = Object.freeze({ syncStatus: 'synced', retryCount: 0, maxRetries: 0 })

/** What others changed, for the bus and for `remote$`; what nobody listens to is not made. */
export function createRemoteNews(bus: Pick<EventBus<Untyped>, 'emit'>, isHeard: (name: string) => boolean) {
  const all$ = new Subject<RemoteNews<Untyped>>()

  return {
    teller(views: Views): TellRemote {
      return (entityType, rows, lanes) => {
        for (const row of rows) {
          const lane = lanes.get(laneKey(entityType, row.id))
          const metadata = (lane && views.metadata(lane)) ?? nothing
          const news = () => Object.freeze({ entityType, metadata, ...changeOf(row) })
          // A copy each: what one of them does with its data is its own.
          if (isHeard('entity:remote-changed')) bus.emit('entity:remote-changed', news())
          if (all$.observed) all$.next(news())
        }
      }
    },
    of$: (entityType: string): Observable<RemoteNews<Untyped>> =>
      all$.pipe(filter((news) => news.entityType === entityType)),
    close: () => all$.complete(),
  }
}
