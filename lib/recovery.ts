import type { StorageLoss, StorageRecovery } from './events.ts'
import { StorageError } from './errors.ts'
import type { Settings } from './options.ts'
import { adopt, folded } from './outbox/adopt.ts'
import { adoptFormer } from './tabs/adoptFormer.ts'
import type { Beside } from './storage/beside.ts'
import { encodeRecord } from './storage/codec.ts'
import { encodeGroup } from './storage/frame.ts'
import type { MirrorHead } from './storage/mirrorFormat.ts'
import type { JournalStore } from './storage/journalStore.ts'
import { idOf } from './storage/journalId.ts'
import { quarantine, type ReadJournal } from './storage/readJournal.ts'
import { type MirrorContent, readHead, readMirror, removeMirror } from './storage/readMirror.ts'
import type { JournalRecord, Opened } from './storage/records.ts'

export interface RecoveryConfig {
  settings: Settings
  beside: Beside
  space: string
  owner: string
  /** The leader's journal; nobody else writes to it meanwhile. */
  journal: string
  lockOf: (journal: string) => string
  recovery: (news: StorageNews) => void
  trouble: (error: unknown) => void
}

export type StorageNews = { lost: StorageLoss } | { recovered: StorageRecovery }

export interface Recovered {
  /** What the leader's journal says now; what was added is stored. */
  records: JournalRecord[]
  /** How far the mirror is, where it can be gone on with. */
  head: MirrorHead | undefined
}

/** Before a leader begins: finds out whether its journal is all there, and brings back what is not. */
export async function recover(config: RecoveryConfig, found: ReadJournal): Promise<Recovered> {
  const { mirror, former } = config.beside
  const { records, head } = await (mirror ? besideMirror(config, mirror, found) : alone(config, found))
  const { store, createId, locks } = config.settings
  const own = { ...config, store, createId, locks, knows: knowsOf(config) }
  return { records: former ? await adoptFormer(former, own, records) : records, head }
}

async function besideMirror(config: RecoveryConfig, mirror: JournalStore, found: ReadJournal): Promise<Recovered> {
  const { records } = found
  const head = await readable(config, () => readHead(mirror, config.space))
  if (records[0]?.kind === 'opened') {
    if (!head) return { records, head }
    const isOther = head.opened.id !== idOf(records)
    if (!isOther && !hasLostItsEnd(records, head))
      return { records, head: goesOn(records, head, config.journal) ? head : undefined }
    const content = await readable(config, () => readMirror(mirror, config.space))
    if (!content) return { records, head: undefined }
    if (!isOther) return { records: await restored(config, records, content), head: undefined }
    const all = await taken(config, records, content)
    await readable(config, () => removeMirror(mirror, config.space))
    return { records: all, head: undefined }
  }
  const content = await readable(config, () => readMirror(mirror, config.space))
  return content ? { records: await restored(config, records, content), head: undefined } : alone(config, found)
}

/** Where there is no mirror. Damaged records are kept aside by whoever leads: it may have been the first of them. */
async function alone(config: RecoveryConfig, { records, broken }: ReadJournal): Promise<Recovered> {
  const isCut = records.length > 0 && records[0]?.kind !== 'opened' && broken.length === 0
  return { records: isCut ? await withoutBeginning(config, records) : records, head: undefined }
}

/** A mirror that cannot be read hurts nobody: it is told, and then there is none. */
async function readable<T>({ trouble }: RecoveryConfig, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (cause) {
    trouble(new StorageError('The snapshot could not be read.', { cause }))
    return undefined
  }
}

/** Whether everything that the journal says and the mirror does not is to be seen in the journal. */
function goesOn(records: readonly JournalRecord[], { opened, journal }: MirrorHead, name: string): boolean {
  const begins = records[0]?.lsn ?? Infinity
  return journal === name && begins <= opened.lsn && !hasOvertaken(records, opened)
}

/** A leader that did not know all that the mirror does has used its lsns again. */
const hasOvertaken = (records: readonly JournalRecord[], { epoch, lsn }: Opened): boolean =>
  records.some((record) => record.epoch > epoch && record.lsn <= lsn)

/** The mirror only knows what was stored: where it knows more, that is gone. */
function hasLostItsEnd(records: readonly JournalRecord[], { opened }: Pick<MirrorHead, 'opened'>): boolean {
  return !hasOvertaken(records, opened) && records.every(({ lsn }) => lsn < opened.lsn)
}

/** The mirror, and what the journal still says of later. */
async function restored(config: RecoveryConfig, records: JournalRecord[], content: MirrorContent) {
  await putAside(config, content)
  const { store } = config.settings
  const { at, opened } = content.head
  const since = content.whole ? at : undefined
  const error = new StorageError(
    `The journal ${records.length > 0 ? 'has lost a part' : 'is gone'}: what was stored up to ${dateOf(since)} is taken from the snapshot, later changes may be missing.`,
  )
  config.recovery({ lost: { error, ...(since === undefined ? { lsn: 0 } : { since, lsn: opened.lsn }) } })
  const [, ...rest] = content.records
  const later = records.filter(({ lsn }) => lsn > opened.lsn)
  // Of whoever went on writing when it was gone; not even one of an older epoch is left out.
  for (const record of later) record.epoch = Math.max(record.epoch, opened.epoch)
  const all: JournalRecord[] = [
    { ...opened, doubtUpTo: opened.lsn, doubtSince: Math.min(at, opened.doubtSince ?? at) },
    ...rest,
    ...later,
  ]
  await store.replace(config.space, config.journal, groupOf(all))
  tellRecovered(config, all)
  return all
}

/** The mirror is of another journal, which nobody brought back: this one takes over what is alive in it. */
async function taken(config: RecoveryConfig, records: JournalRecord[], content: MirrorContent) {
  await putAside(config, content)
  const { owner, space, journal, settings } = config
  const knows = knowsOf(config)
  const { id = 'mirror' } = content.head.opened
  const { at: doubtSince, opened } = content.head
  const added = adopt(content.records, folded(records, knows), { from: id, owner, knows, doubtSince })
  if (added.length === 0) return records
  const error = new StorageError(
    `An earlier journal is gone: what it held up to ${dateOf(doubtSince)} is taken from the snapshot, later changes may be missing.`,
  )
  config.recovery({ lost: { error, since: doubtSince, lsn: opened.lsn } })
  await settings.store.append(space, journal, groupOf(added))
  tellRecovered(config, added)
  return [...records, ...added]
}

/** Nothing to take it from. From here on it has a beginning again, so that this is told once. */
async function withoutBeginning({ settings, space, journal, recovery }: RecoveryConfig, records: JournalRecord[]) {
  const [first] = records
  const error = new StorageError('The beginning of the journal is gone, and there is no snapshot of it.')
  recovery({ lost: { error, lsn: 0 } })
  const opened: Opened = { kind: 'opened', lsn: 0, epoch: first?.epoch ?? 0, id: settings.createId() }
  await settings.store.replace(space, journal, groupOf([opened, ...records]))
  return [opened, ...records]
}

async function putAside({ settings, space, trouble }: RecoveryConfig, { broken }: MirrorContent): Promise<void> {
  if (broken.length === 0) return
  for (const bytes of broken) await settings.store.append(space, quarantine, bytes)
  trouble(
    new StorageError(`${broken.length} records of the snapshot could not be read; they are kept in "${quarantine}".`),
  )
}

function tellRecovered(config: RecoveryConfig, records: JournalRecord[]): void {
  const { counts, lanes } = folded(records, knowsOf(config))
  const { waiting, parked, dead } = counts
  const entities = [...lanes.values()].filter(({ known }) => known).length
  config.recovery({ recovered: { tasks: waiting + parked, dead, entities } })
}

const knowsOf =
  ({ settings }: RecoveryConfig) =>
  (entityType: string): boolean =>
    settings.strategyOf(entityType) !== undefined

const groupOf = (records: readonly JournalRecord[]) => encodeGroup(records.map(encodeRecord))
const dateOf = (at: number | undefined): string => (at === undefined ? 'some moment' : new Date(at).toISOString())
