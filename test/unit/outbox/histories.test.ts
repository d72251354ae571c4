import * as fc from 'fast-check'
import { firstValueFrom } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { AppLife, climate, fairWeather, lifeOf } from '../../support/appLife.ts'

/** Runs of a property, each a life of an app: some fifty in a second. */
const numRuns = Number(process.env['HISTORIES'] ?? 150)
const timeout = numRuns * 400

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

describe('whatever happens to an app', () => {
  test(
    'what its user wrote is what the remote holds in the end, applied once and in order',
    async () => {
      await fc.assert(
        fc.asyncProperty(climate, lifeOf('discard', 'discard all'), async (around, happenings) => {
          const app = new AppLife(around)
          await app.live(happenings)
          await app.settleDown()
          await app.close()
          expect([...app.remote.wrong, ...disorder(app)]).toEqual([])
          expect(Object.fromEntries(app.remote.revs)).toEqual(Object.fromEntries(app.shown))
          expect(app.remote.mostAtOnce).toBeLessThanOrEqual(around.options.concurrency ?? 1)
          expect([app.errors, app.time.timers]).toEqual([[], 0])
        }),
        { numRuns },
      )
    },
    timeout,
  )

  test(
    'every task ends once, dead letters as what they are listed for, and nothing is sent after its end',
    async () => {
      await fc.assert(
        fc.asyncProperty(climate, lifeOf('crash'), async (around, happenings) => {
          const app = new AppLife(around)
          const late: string[] = []
          app.remote.onCall = (_, { taskId }) => void (app.ends.has(taskId) && late.push(taskId))
          await app.live(happenings)
          const [waiting, dead] = [await firstValueFrom(app.persistence.queue$), app.dead]
          const parked = app.status?.parked ?? 0
          await app.close()
          const ended = [...app.ends].map(([taskId, ends]) => `${taskId} ${ends.map(({ status }) => status).join()}`)
          expect(ended.filter((line) => line.includes(','))).toEqual([])
          expect(ended).toEqual(expect.arrayContaining(dead.map(({ id, outcome }) => `${id} ${outcome}`)))
          expect(waiting.filter(({ id }) => app.ends.has(id))).toEqual([])
          expect(app.tasks.size).toBe(app.ends.size + waiting.length + parked)
          expect([...late, ...app.remote.wrong, ...disorder(app)]).toEqual([])
          expect(app.errors).toEqual([])
        }),
        { numRuns },
      )
    },
    timeout,
  )

  test(
    'nothing is sent before what it depends on has ended',
    async () => {
      await fc.assert(
        fc.asyncProperty(climate, lifeOf('retry', 'retry all'), async (around, happenings) => {
          const app = new AppLife(around)
          const early: string[] = []
          app.remote.onCall = (_, { taskId }) =>
            void early.push(...app.earlierThan(taskId).map((on) => `${taskId} before ${on}`))
          await app.live(happenings)
          await app.close()
          expect([...early, ...app.remote.wrong, ...disorder(app)]).toEqual([])
        }),
        { numRuns },
      )
    },
    timeout,
  )

  test(
    'one who is never offline and one who comes online in the end leave the same behind, the latter with fewer requests',
    async () => {
      const quick = lifeOf('restart', 'crash', 'discard', 'discard all', 'go offline', 'pause')
      await fc.assert(
        fc.asyncProperty(quick, async (happenings) => {
          const events = happenings.filter(({ does }) => does === 'save' || does === 'remove')
          const [each, late] = [new AppLife(fairWeather), new AppLife(fairWeather)]
          for (const event of events) await each.live([event, { does: 'pass', ms: 1_000 }])
          await late.live([{ does: 'go offline' }, ...events, { does: 'go online' }])
          for (const app of [each, late]) {
            await app.settleDown()
            await app.close()
          }
          expect(Object.fromEntries(late.remote.revs)).toEqual(Object.fromEntries(each.remote.revs))
          expect(Object.fromEntries(late.remote.revs)).toEqual(Object.fromEntries(late.shown))
          expect([...disorder(late), ...disorder(each)]).toEqual([])
          expect(each.remote.calls).toBe(each.tasks.size)
          expect(late.remote.calls).toBeLessThanOrEqual(each.remote.calls)
        }),
        { numRuns },
      )
    },
    timeout,
  )
})
