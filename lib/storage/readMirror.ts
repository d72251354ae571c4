import { StorageError } from '../errors.ts'
import { decodeGroups } from './frame.ts'
import type { JournalStore } from './journalStore.ts'
import { lastWords } from './lastWords.ts'
import { headJournal, type MirrorHead, mirrorLine, mirrorSpace } from './mirrorFormat.ts'
import type { JournalRecord } from './records.ts'

export interface MirrorContent {
  head: MirrorHead
  /** What the journal meant at that moment, as a compaction would have written it. */
  records: JournalRecord[]
  /** Bytes that mean nothing. */
  broken: Uint8Array[]
  /** Its beginning is there: nothing is missing from it. */
  whole: boolean
}

/** How far the mirror is; `undefined` where there is none. */
export async function readHead(store: JournalStore, space: string): Promise<MirrorHead | undefined> {
  const lines = await linesOf(store, space, headJournal)
  const found = mirrorLine(lines.lines.at(-1) ?? '')
  return found?.is === 'head' ? found.head : undefined
}

/**
 * The mirror's last complete round; `undefined` where there is none.
 *
 * @throws StorageError when it cannot be read, or is of a newer version
 */
export async function readMirror(store: JournalStore, space: string): Promise<MirrorContent | undefined> {
  let best: MirrorContent | undefined
  for (const log of await store.list(mirrorSpace(space))) {
    if (log === headJournal) continue
    const found = contentOf(await linesOf(store, space, log))
    if (found && (!best || isBetter(found, best))) best = found
  }
  return best
}

export async function removeMirror(store: JournalStore, space: string): Promise<void> {
  const names = await store.list(mirrorSpace(space))
  // The head goes last: as long as it is there, it is known whose they are.
  for (const name of [...names.filter((log) => log !== headJournal), headJournal]) {
    await store.remove(mirrorSpace(space), name)
  }
}

async function linesOf(store: JournalStore, space: string, log: string) {
  const decoded = decodeGroups(await store.read(mirrorSpace(space), log))
  if (decoded.newer) throw new StorageError('The snapshot was written by a newer version of rx-outbox.')
  return decoded
}

/** Where a rebuild was cut short there are two. */
function isBetter({ whole, head: { opened } }: MirrorContent, than: MirrorContent): boolean {
  const { opened: other } = than.head
  if (whole !== than.whole) return whole
  return opened.epoch === other.epoch ? opened.lsn > other.lsn : opened.epoch > other.epoch
}

function contentOf({ lines, broken }: { lines: string[]; broken: Uint8Array[] }): MirrorContent | undefined {
  const found = lastWords()
  let head: MirrorHead | undefined
  let whole = false
  let round: string[] = []
  let isWhole = false
  for (const line of lines) {
    const known = mirrorLine(line)
    if (known?.is === 'began') {
      // What a round left that was cut short never was.
      round = []
      isWhole = known.whole
    } else if (known?.is === 'head') {
      head = known.head
      whole ||= isWhole
      for (const one of round) found.take(one)
      round = []
    } else round.push(line)
  }
  return head && { head, whole, records: found.records(head), broken: [...broken, ...found.broken] }
}
