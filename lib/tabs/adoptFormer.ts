import type { LockManagerLike } from '../api.ts'
import { StorageError } from '../errors.ts'
import { adopt, folded } from '../outbox/adopt.ts'
import type { OutboxState } from '../outbox/state.ts'
import { encodeRecord } from '../storage/codec.ts'
import { encodeGroup } from '../storage/frame.ts'
import type { JournalStore } from '../storage/journalStore.ts'
import { idOf } from '../storage/journalId.ts'
import { isLeaders } from './leaderJournals.ts'
import { putAside, quarantine } from '../storage/quarantine.ts'
import { readJournal } from '../storage/readJournal.ts'
import type { JournalRecord } from '../storage/records.ts'

export interface AdoptFormerConfig {
  store: JournalStore
  space: string
  owner: string
  /** The leader's journal. */
  journal: string
  knows: (entityType: string) => boolean
  createId: () => string
  locks: LockManagerLike | null
  lockOf: (journal: string) => string
  trouble: (error: unknown) => void
}

/**
 * Takes over what journals in another store hold, appended to the leader's, and only then removed there. Repeating it after
 * a crash takes nothing twice. Returns the leader's records, with those that were added.
 */
export async function adoptFormer(
  former: JournalStore,
  config: AdoptFormerConfig,
  records: JournalRecord[],
): Promise<JournalRecord[]> {
  const { space, locks, lockOf, trouble } = config
  let all = records
  const take = async (name: string) => {
    all = await adoptOne(former, name, config, all)
    await former.remove(space, name)
  }
  try {
    const names = await former.list(space)
    // What a leader had imported already, its followers' journals may still hold.
    for (const name of [...names.filter(isLeaders), ...names.filter((other) => !isLeaders(other))]) {
      if (isLeaders(name) || name === quarantine || !locks) await take(name)
      // Somebody may still write to it: then it waits for the next leader.
      else
        await locks.request(lockOf(name), { ifAvailable: true }, async (lock) =>
          lock === null ? undefined : take(name),
        )
    }
  } catch (cause) {
    // Nothing is lost: it is there at the next start.
    trouble(new StorageError(`What an earlier run kept in ${former.kind} could not be taken over.`, { cause }))
  }
  return all
}

async function adoptOne(
  former: JournalStore,
  name: string,
  config: AdoptFormerConfig,
  records: JournalRecord[],
): Promise<JournalRecord[]> {
  const { store, space, journal, owner, knows } = config
  if (name === quarantine) {
    await putAside(store, space, await former.read(space, name))
    return records
  }
  const found = await readJournal(former, space, name)
  await putAside(store, space, found.broken)
  const from = idOf(found.records) ?? (isLeaders(name) ? `${former.kind}/${name}` : name)
  const into: OutboxState = folded(records, knows)
  if (records.length === 0) into.id = config.createId()
  const added = adopt(found.records, into, { from, owner, knows })
  if (added.length > 0) await store.append(space, journal, encodeGroup(added.map(encodeRecord)))
  return [...records, ...added]
}
