import { keysOfSpace, type JournalKey } from './journalKey.ts'

/** What the keys say of a journal. */
export interface Generation {
  number: number
  /** The keys that count, oldest first. */
  segments: string[]
  /** Where the next segment goes. */
  next: number
  /** Left by a replacement or removal that was cut short. */
  stale: string[]
}

/** The newest generation of a journal: the one that counts. */
export function newestGeneration(keys: readonly string[], space: string, journal: string): Generation {
  const own = keysOfSpace(keys, space).filter((key) => key.journal === journal)
  const number = own.reduce((newest, { generation }) => Math.max(newest, generation), 0)
  const segments = own.filter((key) => key.generation === number && key.segment !== undefined).sort(bySegment)
  const stale = own.filter((key) => key.generation < number || key.segment === undefined)
  return {
    number,
    segments: segments.map(({ key }) => key),
    next: (segments.at(-1)?.segment ?? -1) + 1,
    stale: stale.map(({ key }) => key),
  }
}

/** The journals of a space whose newest generation holds anything. */
export function journalsOf(keys: readonly string[], space: string): string[] {
  const newest = new Map<string, { generation: number; holds: boolean }>()
  for (const { journal, generation, segment } of keysOfSpace(keys, space)) {
    const known = newest.get(journal)
    if (known && known.generation > generation) continue
    const holds = segment !== undefined || (known?.generation === generation && known.holds)
    newest.set(journal, { generation, holds })
  }
  return [...newest].flatMap(([journal, { holds }]) => (holds ? journal : []))
}

const bySegment = (a: JournalKey, b: JournalKey): number => (a.segment ?? 0) - (b.segment ?? 0)
