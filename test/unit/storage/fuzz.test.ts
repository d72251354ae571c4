import { env } from 'node:process'
import { createPersistence, memoryStore, StorageError } from 'rx-outbox'
import { asyncScheduler } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { snapshot } from '../../../lib/outbox/snapshot.ts'
import { createState } from '../../../lib/outbox/state.ts'
import { decodeRecord, encodeRecord } from '../../../lib/storage/codec.ts'
import { decodeGroups, encodeGroup } from '../../../lib/storage/frame.ts'
import { joined } from '../../../lib/storage/joined.ts'
import { createSeal } from '../../../lib/storage/seal.ts'
import { livedJournal, mutated, randomFrom, space } from '../../support/journalFuzz.ts'
import { KeyBox, newKey } from '../../support/keys.ts'
import type { Entities } from '../../support/opened.ts'
import { note, Remote } from '../../support/remote.ts'
import { virtualTime } from '../../support/virtualTime.ts'

/** The dose: how many mutations, and which. `FUZZ_RUNS=1000000 FUZZ_SEED=7 npx vitest run --project unit test/unit/storage/fuzz` */
const runs = Number(env['FUZZ_RUNS'] ?? 2_500)
const seed = Number(env['FUZZ_SEED'] ?? 1)
const long = Math.max(30_000, runs * 20)

const journal = await livedJournal()
const key = new KeyBox(await newKey('k1'))
const sealedJournal = await livedJournal(key)
const seal = createSeal({ keyOf: key.key, owner: '', scheduler: asyncScheduler, space })
const behind = encodeGroup(['o[900,9]', 'o[901,9]'])

/** A byte is a character: lines can be compared, whatever they hold. */
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1')
const isHeader = (line: string) => line.startsWith('rx1 ', 9)
const original = textOf(journal).split('\n')
/** Header and lines of each group that was written. */
const groups = original.flatMap((line, i) =>
  isHeader(line)
    ? [
        original.slice(
          i,
          original.findIndex((other, j) => j > i && other === ''),
        ),
      ]
    : [],
)
const written = new Set(groups.flatMap(([, ...lines]) => lines))

/** The lines of groups of which only a beginning is there; in the line in which it ends may be anything. */
function cutOff(lines: readonly string[]): Set<string> {
  const lost = new Set<string>()
  for (const [i, line] of lines.entries()) {
    const whole = isHeader(line) ? groups.find(([header]) => header === line) : undefined
    if (!whole) continue
    const next = lines.findIndex((other, j) => j > i && isHeader(other) && original.includes(other))
    const there = lines.slice(i, next < 0 ? undefined : next)
    // A newline of its own ends what is whole, the other one comes with what is behind.
    if (there.at(-1) === '') there.pop()
    const isBeginning = there.every((part, j) => part === whole[j] || j === there.length - 1)
    if (isBeginning && there.length <= whole.length && there.at(-1) !== whole.at(-1))
      for (const part of whole) lost.add(part)
  }
  return lost
}

/** What is wrong with how these bytes are read. */
function wrongs(bytes: Uint8Array): string[] {
  const { lines, broken, newer, sealed } = decodeGroups([bytes])
  const found = textOf(bytes).split('\n')
  const read = lines.map((line) => textOf(Buffer.from(line)))
  const left = [...read]
  const cut = cutOff(found)
  const missing = found.filter((line) => {
    if (!written.has(line)) return false
    const at = left.indexOf(line.slice(9))
    if (at >= 0) left.splice(at, 1)
    return at < 0 && !cut.has(line)
  })
  const aside = broken.map(textOf)
  const unread = found.filter((line, i) => {
    if (line === '' || original.includes(line) || aside.includes(line)) return false
    // The beginning of a group, or what is left of one.
    const next = found[i + 1]
    return !(next === undefined || isHeader(next))
  })
  const later = decodeGroups([bytes, behind]).lines
  return [
    ...missing.map((line) => `lost: ${line}`),
    ...left.map((line) => `made up: ${line}`),
    ...unread.map((line) => `neither read nor put aside: ${line}`),
    ...(newer || sealed ? ['taken for another format'] : []),
    ...(later.join('\n') === [...lines, 'o[900,9]', 'o[901,9]'].join('\n')
      ? []
      : ['reads otherwise when a group is behind it']),
    ...folds(lines),
    ...Object.keys(Object.prototype).map((name) => `pollutes with ${name}`),
  ]
}

/** What its records mean can be written anew. */
function folds(lines: readonly string[]): string[] {
  const state = createState({ knows: () => true, touch: () => undefined })
  for (const line of lines) {
    const record = decodeRecord(line)
    if (record) state.apply(record)
  }
  for (const { queue } of state.lanes.values())
    for (const entry of queue) if (state.tasks.get(entry.lsn) !== entry) return [`${entry.id} is there twice`]
  const again = createState({ knows: () => true, touch: () => undefined })
  for (const record of snapshot(state, '')) again.apply(decodeRecord(encodeRecord(record)) ?? record)
  const ids = (of: typeof state) =>
    Array.from(of.tasks.values(), ({ id }) => id)
      .sort()
      .join()
  return ids(state) === ids(again) ? [] : ['written anew it means something else']
}

describe('a journal that an app wrote', () => {
  test('is of several groups, and holds records of most kinds', () => {
    expect(groups.length).toBeGreaterThan(8)
    const kinds = new Set(decodeGroups([journal]).lines.map((line) => decodeRecord(line)?.kind))
    expect([...kinds].sort()).toEqual(['ended', 'enqueued', 'opened', 'retry', 'sending', 'superseded'])
    expect(wrongs(journal)).toEqual([])
  })

  test('loses only the group it was cut in, wherever it was cut', () => {
    for (let end = 0; end <= journal.length; end++)
      expect(wrongs(journal.subarray(0, end)), `cut at ${end}`).toEqual([])
  })

  test('keeps every line that was not damaged, whatever was done to it', { timeout: long }, () => {
    const random = randomFrom(seed)
    for (let run = 0; run < runs; run++) {
      const { name, bytes } = mutated(journal, random)
      expect(wrongs(bytes), `run ${run} of seed ${seed}:${name}`).toEqual([])
    }
  })
})

test(
  'a sealed journal loses only the groups that were damaged, and never locks by damage',
  { timeout: long },
  async () => {
    const random = randomFrom(seed)
    const sealedLines = textOf(sealedJournal)
      .split('\n')
      .filter((line) => line !== '')
    const inside = new Map<string, string[]>()
    for (const line of sealedLines) {
      const { pieces } = await seal.unseal([Buffer.from(`${line}\n`, 'latin1')], 'leader')
      inside.set(line, decodeGroups(pieces).lines)
    }
    expect(inside.size).toBeGreaterThan(8)
    for (let run = 0; run < runs / 5; run++) {
      const { name, bytes } = mutated(sealedJournal, random)
      const { pieces } = await seal.unseal([bytes], 'leader')
      const { lines, broken, newer } = decodeGroups(pieces)
      const found = textOf(bytes).split('\n')
      expect(lines, `run ${run} of seed ${seed}:${name}`).toEqual(found.flatMap((line) => inside.get(line) ?? []))
      expect([newer, broken.every((line) => !inside.has(textOf(line)))]).toEqual([false, true])
    }
  },
)

/** Opens an outbox over these bytes, stores one more event, and looks for it in the next run. */
async function lives(bytes: Uint8Array): Promise<string[]> {
  const storage = memoryStore()
  await storage.append(space, 'leader', bytes)
  const time = virtualTime()
  const wrong: string[] = []
  const open = (remote: Remote) => {
    const persistence = createPersistence<Entities>({
      strategies: { note: remote, tag: remote },
      options: { storage, scheduler: time.scheduler, locks: null },
    })
    persistence.errors$.subscribe((error) => {
      if (!(error instanceof StorageError)) wrong.push(String(error))
    })
    return persistence
  }
  const first = open(new Remote())
  await first.pause()
  await time.until(first.created('note', note('last', 'of all')).durable)
  await time.until(first.close())
  const remote = new Remote()
  const second = open(remote)
  await time.until(second.idle())
  await time.until(second.close())
  if (!remote.log.includes('create last of all')) wrong.push('what came behind it is lost')
  const { broken } = decodeGroups([bytes])
  const aside = textOf(joined(await storage.read(space, 'quarantine')))
  for (const line of broken) if (!aside.includes(textOf(line))) wrong.push(`not put aside: ${textOf(line)}`)
  if (decodeGroups(await storage.read(space, 'leader')).broken.length > 0) wrong.push('damage stays')
  return [...wrong, ...Object.keys(Object.prototype)]
}

test('an app opens over any damage, stores what comes, and finds it again', { timeout: long * 2 }, async () => {
  const random = randomFrom(seed + 1)
  for (let run = 0; run < runs / 10; run++) {
    const { name, bytes } = mutated(journal, random)
    expect(await lives(bytes), `run ${run} of seed ${seed}:${name}`).toEqual([])
  }
})
