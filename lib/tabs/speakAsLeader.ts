import {
  auditTime,
  catchError,
  defer,
  EMPTY,
  exhaustMap,
  filter,
  interval,
  merge,
  type Observable,
  type SchedulerLike,
  type Subscription,
} from 'rxjs'
import type { JournalRecord } from '../storage/records.ts'
import type { Neighbours } from './neighbours.ts'
import type { LeaderNews } from './tabMessage.ts'
import type { Wire } from './wire.ts'

export interface VoiceConfig {
  wire: Wire
  neighbours: Neighbours
  /** The journal that this leader writes. */
  journal: string
  changed$: Observable<unknown>
  leaderTimeout: number
  scheduler: SchedulerLike
  /** Resolves at once, but not while this tab is frozen. */
  awake: () => Promise<void>
  /** This tab runs. */
  beat: () => void
  trouble: (error: unknown) => void
}

/** How a leader lets the others see what it does: at once what it stored, and where it stands now and then. */
export interface Voice {
  stored: (records: JournalRecord[]) => void
  /** From now on, until that ends. */
  start: (news: () => Omit<LeaderNews, 'journal' | 'lsn'>) => Subscription
}

export function speakAsLeader(config: VoiceConfig): Voice {
  const { wire, neighbours, journal, leaderTimeout, scheduler } = config
  let lsn = 0

  return {
    stored(records) {
      const after = lsn
      for (const record of records) if (record.lsn > lsn) lsn = record.lsn
      if (neighbours.isFollowed) wire.send({ is: 'stored', journal, after, records })
    },
    start(news) {
      const say = () => wire.send({ is: 'leading', journal, lsn, ...news() })
      const called$ = wire.messages$.pipe(
        filter(({ is }) => is === 'rollCall' || is === 'here'),
        // An answer says that somebody leads. A timer would rest, too, but in a hidden tab for up to a minute.
        exhaustMap(() => defer(config.awake).pipe(catchError(() => EMPTY))),
      )
      const changed$ = config.changed$.pipe(
        filter(() => neighbours.isFollowed),
        auditTime(16, scheduler),
      )
      const speaking = merge(called$, changed$).subscribe(say)
      // Thrice within the time after which others believe that nobody leads.
      speaking.add(
        interval(leaderTimeout / 3, scheduler).subscribe(() => {
          config.beat()
          say()
          neighbours.lookAround().catch(config.trouble)
        }),
      )
      return speaking
    },
  }
}
