import { laneKey } from '../outbox/lane.ts'
import { decodeRecord } from './codec.ts'
import { type MirrorHead, mirrorLine } from './mirrorFormat.ts'
import type { Enqueued, JournalRecord } from './records.ts'

/** Takes a mirror's lines in, and keeps of each lane what was said last. */
export interface LastWords {
  take: (line: string) => void
  /** What a compaction would have written. */
  records: (head: MirrorHead) => JournalRecord[]
  /** Lines that mean nothing. */
  readonly broken: Uint8Array[]
}

/** A lane's tasks by lsn, with what became of each; under 0 what is known of the entity. */
type LaneWords = Map<number, JournalRecord[]>

export function lastWords(): LastWords {
  const lanes = new Map<string, LaneWords>()
  const imported = new Map<string, JournalRecord>()
  const checkpoints = new Map<string, JournalRecord>()
  const broken: Uint8Array[] = []
  let task: { lsn: number; records: JournalRecord[] } | undefined

  function lane({ entityType, entityId }: { entityType: string; entityId: string }): LaneWords {
    const key = laneKey(entityType, entityId)
    const words = lanes.get(key) ?? new Map<number, JournalRecord[]>()
    lanes.set(key, words)
    return words
  }

  function add(record: JournalRecord): void {
    switch (record.kind) {
      case 'imported':
        return void imported.set(record.writer, record)
      case 'checkpoint':
        return void checkpoints.set(record.entityType, record)
      case 'metadata':
        return void lane(record).set(0, [record])
      case 'base': {
        const words = lane(record)
        return void words.set(0, [...(words.get(0) ?? []), record])
      }
      case 'enqueued':
        task = { lsn: record.lsn, records: [record] }
        return void lane(record).set(record.lsn, task.records)
      default:
        // Not where its `enqueued` record was damaged.
        if ('task' in record && record.task === task?.lsn) task?.records.push(record)
    }
  }

  return {
    broken,
    take(line) {
      const known = mirrorLine(line)
      task = known ? undefined : task
      if (known?.is === 'lane') lane(known).clear()
      if (known) return
      const record = decodeRecord(line)
      if (record) add(record)
      else broken.push(new TextEncoder().encode(line))
    },
    records({ opened }) {
      const words = [...lanes.values()]
      const known = words.flatMap((own) => own.get(0) ?? [])
      const tasks = words.flatMap((own) => [...own].flatMap(([lsn, records]) => (lsn > 0 ? [records] : [])))
      tasks.sort((a, b) => placeOf(a[0]) - placeOf(b[0]))
      const { epoch } = opened
      const all = [opened, ...imported.values(), ...checkpoints.values(), ...known, ...tasks.flat()]
      // Pieces of different epochs: as a whole it is of the last.
      for (const record of all) record.epoch = epoch
      return all
    },
  }
}

const isTask = (record: JournalRecord | undefined): record is Enqueued => record?.kind === 'enqueued'
const placeOf = (record: JournalRecord | undefined): number => (isTask(record) ? (record.place ?? record.lsn) : 0)
