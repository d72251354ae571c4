import type { Action, Crash, Deed, Script, ScriptConfig, Weather } from './script.ts'

/** A life in which nothing but the crash that is tried out goes wrong by chance. */
export interface Scenario {
  name: string
  script: Script
}

const plain: ScriptConfig = {
  tabs: 1,
  owners: 1,
  concurrency: 1,
  maxOvertakes: 1_000,
  quiet: 0,
  breaker: false,
  retry: { maxRetries: 2, initialDelay: 1_000, multiplier: 3, maxDelay: 5_000 },
  jitter: 0,
  attemptTimeout: 5_000,
  maxRetryAfter: 60_000,
  keyWindow: Infinity,
  reconcile: 'knows',
  durability: 'relaxed',
  flushAfter: 1_000,
  latency: 2,
  channel: { latency: 2, lost: 0 },
  leaderTimeout: 90_000,
  mirror: true,
  retryDead: true,
  resolver: 'none',
  answer: { is: 'local', tab: 0, afterRestart: false },
  pull: false,
}

const after = (ms: number, deed: Deed): Action => ({ after: ms, ...deed })
const save = (entity: number, tab = 0, dependsOn: number[] = []): Deed => ({
  does: 'save',
  tab,
  entity,
  priority: 0,
  dependsOn,
})
const remove = (entity: number, tab = 0): Deed => ({ does: 'remove', tab, entity, priority: 0, dependsOn: [] })
const close = (tab: number): Deed => ({ does: 'close', tab, reopen: 500, pending: 'lost' })
const answer = (is: Weather['is'], arrive = 1, work = 1, back = 1): Weather => ({ is, takes: [arrive, work, back] })

/** Time in which what was said is done. */
const rest = after(8_000, { does: 'online' })

function scenario(
  name: string,
  actions: Action[],
  config: Partial<ScriptConfig> = {},
  weather: Weather[] = [],
): Scenario {
  return {
    name,
    script: {
      seed: 1,
      config: { ...plain, ...config },
      actions: [...actions, rest],
      weather,
      stores: [],
      crashes: [],
      pages: [],
      takings: [],
    },
  }
}

/** What every life of an app is made of: the library is killed at each point of each, and at each pair of points. */
export const scenarios: readonly Scenario[] = [
  scenario('offline, then online', [
    after(60, { does: 'offline' }),
    after(0, save(0)),
    after(100, save(0)),
    after(100, save(1)),
    after(100, remove(1)),
    after(100, save(2)),
    after(100, { does: 'online' }),
    after(200, remove(2)),
  ]),
  scenario(
    'changes that become one',
    [after(60, save(0)), after(0, save(0)), after(5, save(0)), after(200, save(0)), after(50, remove(0))],
    { quiet: 100 },
  ),
  scenario(
    'a dead letter is tried again by hand',
    [after(60, save(0)), after(20, save(0)), after(3_000, { does: 'retry', tab: 0, pick: 0 }), after(50, save(1))],
    { retry: { ...plain.retry, maxRetries: 0 } },
    [answer(422), answer('fine'), answer('lost')],
  ),
  scenario(
    'the leader closes',
    [after(60, save(0, 0)), after(5, save(1, 1)), after(20, close(0)), after(20, save(1, 1)), after(600, save(0, 0))],
    { tabs: 2 },
  ),
  scenario(
    'a follower leaves tasks behind',
    [
      after(60, save(0, 1)),
      after(0, save(1, 1)),
      after(10, { does: 'crash', tab: 1, reopen: 300, pending: 'done' }),
      after(20, close(0)),
      after(700, save(0, 0)),
    ],
    { tabs: 2 },
  ),
  scenario(
    'a new sign-in',
    [after(60, save(0)), after(0, save(2)), after(50, save(0)), after(500, { does: 'authorized', tab: 0 })],
    { concurrency: 2 },
    [answer(401), answer(401), answer('fine'), answer(401)],
  ),
  scenario(
    'one depends on another',
    [after(60, save(0)), after(0, save(2, 0, [0])), after(5, save(1, 0, [0, 2])), after(10, save(0))],
    { concurrency: 2 },
    [answer(503), answer('silent')],
  ),
  scenario(
    'another owner',
    [
      after(60, save(0)),
      after(2, { does: 'owner', tab: 0, owner: 1 }),
      after(5, save(0)),
      after(50, { does: 'owner', tab: 0, owner: null }),
      after(50, { does: 'owner', tab: 0, owner: 0 }),
      after(5, save(1)),
    ],
    { owners: 2 },
  ),
  scenario(
    'the server forgets a key',
    [after(60, save(0)), after(0, save(1)), after(10, { does: 'offline' }), after(80_000, { does: 'online' })],
    { keyWindow: 20_000 },
    [answer('lost'), answer('silent'), answer('broken')],
  ),
  scenario(
    'a server that knows no keys',
    [after(60, save(0)), after(0, save(1)), after(10, remove(0))],
    { keyWindow: 0 },
    [answer('lost'), answer('broken'), answer('silent')],
  ),
  scenario('no room on the disk', [
    after(60, save(0)),
    after(20, { does: 'quota', ms: 1_500 }),
    after(5, save(1)),
    after(100, save(0)),
    after(2_000, save(1)),
  ]),
  scenario(
    'three tabs',
    [
      after(60, save(0, 2)),
      after(0, save(1, 1)),
      after(10, close(0)),
      after(30, save(2, 2)),
      after(20, close(1)),
      after(30, save(1, 2)),
    ],
    { tabs: 3 },
  ),
  scenario(
    'a replaced leader wakes while the next one is frozen',
    [
      after(60, save(0)),
      after(40, { does: 'freeze', tab: 0, ms: 60_000 }),
      after(30_000, { does: 'freeze', tab: 1, ms: 60_000 }),
      after(0, save(1)),
      after(31_000, save(1)),
      after(20_000, save(1)),
    ],
    { tabs: 2, leaderTimeout: 9_000 },
  ),
  // More records that mean nothing any longer than the library puts up with.
  scenario('the journal is written anew', [
    after(60, save(0)),
    ...Array.from({ length: 520 }, (_, at) => after(0, save(at % 3))),
    after(3_000, save(0)),
  ]),
]

/** The script with its crashes: each so many yield points after the one before. */
export function crashing({ script }: Scenario, ...steps: number[]): Script {
  const crashes = steps.map((step): Crash => ({ step, reopen: 20, pending: step % 3 === 0 ? 'done' : 'lost' }))
  return { ...script, crashes }
}
