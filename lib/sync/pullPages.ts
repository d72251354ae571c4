import { PersistenceError, ServerError } from '../errors.ts'
import type { Page } from './readPage.ts'
import type { Take } from './taking.ts'

export interface PagesConfig {
  entityType: string
  /** Asks for the page behind a checkpoint. */
  request: (checkpoint: string | undefined) => Promise<Page>
  take: Take
  /** Lanes in which something is in flight, from now on and right now, until `close`. */
  watch: () => { moved: ReadonlySet<string>; close: () => void }
  /** The checkpoint in the journal; `undefined` where none is kept. */
  stored: () => string | undefined
  /** Whether checkpoints are kept: not, where nobody takes rows over for good. */
  isKept: boolean
  /** Whether a row that is owed could be asked for now: `soon`, where it is only a moment until then. */
  isAtRest: (id: string) => boolean | 'soon'
  trouble: (error: unknown) => void
}

/** The pages of one entity type, from where the last pull ended. */
export interface Pages {
  /**
   * Pulls until there is no more.
   * @throws ServerError for a page that cannot be believed
   * @throws UnreadRows for rows that are none, after all others were taken
   */
  pull: () => Promise<void>
  /** Rows have to be asked for again, and nothing of them is in flight any more. */
  readonly isDue: boolean
}

/** Pages without a row, one after the other, after which a server is not believed that there is more. */
const mostEmpty = 100
/** How often rows that were in flight are asked for again before there is a pause. */
const mostRounds = 3

export function createPages(config: PagesConfig): Pages {
  const { entityType, request, take } = config
  /** Where the next page begins, and where it has to begin once rows are asked for again. */
  let cursor = config.stored()
  let start = cursor
  /** What keeps the stored checkpoint back: rows that have to be asked for again, and rows that could not be read. */
  const owed = new Set<string>()
  const unread = new Set<string>()
  let refused: Page['refused'] = []

  function isDue(): boolean {
    const rests = Array.from(owed, config.isAtRest)
    return rests.includes(true) && !rests.includes('soon')
  }

  function goBack(): void {
    owed.clear()
    cursor = start
  }

  /** Whether there is more. */
  async function onePage(seen: Set<string | undefined>): Promise<Page> {
    const window = config.watch()
    try {
      const page = await request(cursor)
      const { checkpoint, more } = page
      if (seen.has(checkpoint) && (more || checkpoint !== cursor)) throw new ServerError(notAhead(entityType, more))
      for (const { name, error } of page.refused) {
        const place = `${cursor} ${name}`
        if (!unread.has(place)) refused.push({ name, error })
        unread.add(place)
      }
      const { owed: again } = await take(page.rows, {
        moved: window.moved,
        syncedAt: page.syncedAt,
        checkpoint(also) {
          const isBehind = owed.size + unread.size + also.length > 0
          return isBehind || !config.isKept || checkpoint === config.stored() ? undefined : checkpoint
        },
      })
      for (const id of again) owed.add(id)
      cursor = checkpoint
      if (owed.size === 0) start = cursor
      return page
    } finally {
      window.close()
    }
  }

  async function toTheEnd(): Promise<void> {
    const seen = new Set([cursor])
    for (let empty = 0; empty < mostEmpty;) {
      const { rows, more, checkpoint, ...page } = await onePage(seen)
      if (!more) return
      seen.add(checkpoint)
      empty = rows.length + page.refused.length > 0 ? 0 : empty + 1
    }
    throw new ServerError(`${mostEmpty} pages of ${entityType} had no rows, and say that there is more.`)
  }

  return {
    async pull() {
      refused = []
      try {
        for (let round = 0; round < mostRounds; round++) {
          if (isDue()) goBack()
          else if (round > 0) break
          await toTheEnd()
        }
      } catch (error) {
        if (refused.length > 0) config.trouble(new UnreadRows(entityType, refused))
        throw error
      }
      if (refused.length > 0) throw new UnreadRows(entityType, refused)
    },
    get isDue() {
      return isDue()
    },
  }
}

function notAhead(entityType: string, more: boolean): string {
  const what = more ? 'says that there is more behind a checkpoint' : 'goes back to a checkpoint'
  return `The page of ${entityType} ${what} that this pull has passed already; it is not taken over.`
}

/** Rows that could not be read: the others were taken, and to try again by itself is pointless. */
export class UnreadRows extends PersistenceError {
  constructor(entityType: string, refused: Page['refused']) {
    const first = refused[0]?.error
    const why = first instanceof Error ? first.message : String(first)
    const what = refused.length === 1 ? 'A row' : `${refused.length} rows`
    super(`${what} of ${entityType} cannot be taken over, and will be asked for at the next start: ${why}`, {
      cause: first,
    })
  }
}
