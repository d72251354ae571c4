import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StorageError } from '../../../lib/errors.ts'
import { AppLife, climate, type Happening, lifeOf } from '../../support/appLife.ts'

const numRuns = Number(process.env['HISTORIES'] ?? 100)
const timeout = numRuns * 600

/** Lives in which the store of the journals is wiped, here and there. */
function wipedLife(wipe: 'wipe' | 'rest and wipe', ...without: Happening['does'][]): fc.Arbitrary<Happening[]> {
  const moments = fc.array(fc.nat({ max: 45 }), { minLength: 1, maxLength: 4 })
  return fc.tuple(lifeOf(...without), moments).map(([life, at]) => {
    for (const one of at) life.splice(one % (life.length + 1), 0, { does: wipe })
    return life
  })
}

/** What was applied lane by lane, as far as it is not in the order of the app's events. */
function disorder({ remote, tasks }: AppLife): string[] {
  const last = new Map<string, number>()
  return remote.effects.flatMap(({ entity, taskId }) => {
    const rev = tasks.get(taskId)?.rev ?? Number.NaN
    const before = last.get(entity) ?? 0
    last.set(entity, rev)
    return rev > before ? [] : [`${entity}: ${rev} after ${before}`]
  })
}

describe('an app whose journals are wiped', () => {
  test(
    'while it rests loses nothing: what its user wrote is what the remote holds, applied once and in order',
    async () => {
      await fc.assert(
        fc.asyncProperty(climate, wipedLife('rest and wipe', 'discard', 'discard all'), async (around, happenings) => {
          const app = new AppLife(around, { isMirrored: true })
          await app.live(happenings)
          await app.settleDown()
          await app.close()
          expect([...app.remote.wrong, ...disorder(app)]).toEqual([])
          expect(Object.fromEntries(app.remote.revs)).toEqual(Object.fromEntries(app.shown))
          expect(app.losses.filter(({ told }) => told?.since === undefined)).toEqual([])
          expect(app.errors.filter((error) => !(error instanceof StorageError))).toEqual([])
          expect([app.errors.length, app.time.timers]).toEqual([app.losses.length, 0])
        }),
        { numRuns },
      )
    },
    timeout,
  )

  test(
    'at any moment loses nothing that was stored before the time it names, and sends nothing in two forms under one key',
    async () => {
      await fc.assert(
        fc.asyncProperty(climate, wipedLife('wipe', 'discard', 'discard all'), async (around, happenings) => {
          const app = new AppLife(around, { isMirrored: true })
          // What the remote did in the gap nobody here knows.
          app.remote.checksIds = false
          await app.live(happenings)
          await app.settleDown()
          await app.close()
          expect(app.remote.wrong).toEqual([])
          const isLost = (at: number) =>
            app.losses.some((loss) => loss.at >= at && !(loss.told?.since !== undefined && at < loss.told.since))
          const vanished = [...app.stored].filter(([taskId, at]) => !app.ends.has(taskId) && !isLost(at))
          expect(vanished).toEqual([])
        }),
        { numRuns },
      )
    },
    timeout,
  )
})
