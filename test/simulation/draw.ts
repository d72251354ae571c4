import { capabilities } from './capabilities.ts'
import { drawPull } from './drawPull.ts'
import { createRandom, type Random } from './random.ts'
import type {
  Action,
  Answer,
  Crash,
  Decision,
  Deed,
  Pending,
  Script,
  ScriptConfig,
  StoreFate,
  Weather,
} from './script.ts'

/** What can go wrong; a seed draws which of it exists. */
const faults = [
  'crash',
  'yield',
  'store',
  'wipe',
  'power',
  'quota',
  'handle',
  'freeze',
  'clock',
  'network',
  'lost answers',
  'refusals',
  'servers',
  'login',
  'users',
  'others',
] as const
type Fault = (typeof faults)[number]

const answers: Record<'lost answers' | 'refusals' | 'servers' | 'login', readonly [Answer, ...Answer[]]> = {
  'lost answers': ['lost', 'silent', 'broken', 'doubled', 'hangs'],
  refusals: [400, 403, 404, 409, 412, 422, 'permanent'],
  servers: [408, 425, 429, 500, 503, 'html', 'down', 'down'],
  login: [401],
}

/** The life that a seed stands for. */
export function draw(seed: number): Script {
  return drawPull(withoutPull(seed))
}

function withoutPull(seed: number): Script {
  const random = createRandom(seed)
  const share = random.pick([0.15, 0.3, 0.5])
  const exists = new Set<Fault>(faults.filter(() => random.chance(share)))
  const config = configOf(random, exists)
  return {
    seed,
    config,
    actions: actionsOf(random, exists, config),
    weather: weatherOf(random, exists, config),
    stores: storesOf(random, exists),
    crashes: exists.has('yield') ? crashesOf(random) : [],
    pages: [],
    takings: [],
  }
}

function configOf(random: Random, exists: Set<Fault>): ScriptConfig {
  const tabs = random.pick([1, 1, 1, 2, 2, 3])
  // What a server without memory for keys cannot make good: a mark that was lost, a second sender.
  const remembers = exists.has('power') || exists.has('freeze') || exists.has('wipe')
  const keyWindow = random.pick(remembers ? [Infinity] : [Infinity, Infinity, 60_000, 0])
  return {
    tabs,
    owners: random.pick([1, 1, 1, 2]),
    concurrency: random.pick([1, 1, 2, 4]),
    maxOvertakes: random.pick([1, 3, Infinity]),
    quiet: random.pick([0, 0, 0, 300]),
    breaker: random.pick([false, false, { failures: 2, delay: 1_000, maxDelay: 8_000 }]),
    retry: {
      maxRetries: random.pick([0, 2, 2, 3]),
      initialDelay: random.pick([500, 1_000]),
      multiplier: random.pick([1, 3]),
      maxDelay: random.pick([5_000, 30_000]),
    },
    jitter: random.pick([0, 0, 0.5]),
    attemptTimeout: 5_000,
    maxRetryAfter: random.pick([5_000, 86_400_000]),
    keyWindow,
    reconcile: random.pick<ScriptConfig['reconcile']>([false, 'knows', 'knows', 'unknown']),
    durability: random.pick(['relaxed', 'strict']),
    flushAfter: random.pick([200, 1_000]),
    latency: random.pick([0, 0, 3, 20]),
    // A leader that is not heard is replaced, which a server without memory for keys cannot make good.
    channel: { latency: random.pick([0, 5, 50]), lost: keyWindow === 0 ? 0 : random.pick([0, 0, 20, 100]) },
    leaderTimeout: random.pick([9_000, 90_000]),
    mirror: random.chance(0.5),
    retryDead: random.chance(0.5),
    resolver: random.pick(['none', 'none', 'ask', 'localWins', 'remoteWins', 'merge']),
    answer: { is: decision(random), tab: random.int(0, tabs - 1), afterRestart: random.chance(0.3) },
    pull: false,
  }
}

const decision = (random: Random) => random.pick<Decision>(['local', 'remote', 'merged'])

function actionsOf(random: Random, exists: Set<Fault>, config: ScriptConfig): Action[] {
  const kinds: (() => Deed)[] = []
  const add = (weight: number, deed: () => Deed) => {
    for (let i = 0; i < weight; i++) kinds.push(deed)
  }
  const tab = () => random.int(0, config.tabs - 1)
  const ms = () => random.pick([20, 200, 2_000, 20_000])
  const reopen = () => random.pick([0, 50, 1_000, 10_000])
  const pending = () => random.pick<Pending>(['lost', 'done', 'torn'])
  const dependsOn = () => (random.chance(0.25) ? [random.int(0, 3)] : [])
  const event = () => ({ tab: tab(), entity: random.int(0, 3), priority: random.int(0, 2), dependsOn: dependsOn() })
  add(12, () => ({ does: 'save', ...event(), ...(random.chance(0.08) && { maxAge: random.pick([500, 20_000]) }) }))
  add(4, () => ({ does: 'remove', ...event() }))
  add(2, () => ({ does: 'close', tab: tab(), reopen: reopen(), pending: 'lost' }))
  if (config.owners > 1) add(2, () => ({ does: 'owner', tab: tab(), owner: random.pick([0, 1, 0, 1, null]) }))
  if (exists.has('users')) {
    add(2, () => ({ does: random.pick(['retry', 'retry', 'discard']), tab: tab(), pick: random.int(0, 5) }))
    add(3, () => ({
      does: random.pick(['pause', 'resume', 'resume', 'flush', 'retryAll', 'discardAll', 'idle']),
      tab: tab(),
    }))
  }
  if (exists.has('others'))
    add(6, () => ({
      does: random.pick(['other saves', 'other saves', 'other removes']),
      owner: random.int(0, config.owners - 1),
      entity: random.int(0, 3),
    }))
  if (exists.has('others') || exists.has('refusals'))
    add(2, () => ({ does: 'resolve', tab: tab(), pick: random.int(0, 2), answer: decision(random) }))
  if (exists.has('login')) add(2, () => ({ does: 'authorized', tab: tab() }))
  if (exists.has('crash')) add(3, () => ({ does: 'crash', tab: tab(), reopen: reopen(), pending: pending() }))
  if (exists.has('network')) {
    add(2, () => ({ does: 'offline' }))
    add(3, () => ({ does: 'online' }))
  }
  if (exists.has('clock'))
    add(2, () => ({ does: 'clock', by: random.pick([-86_400_000, -60_000, -1_000, 1_000, 60_000, 86_400_000]) }))
  if (exists.has('wipe')) add(1, () => ({ does: 'wipe' }))
  if (exists.has('power')) add(2, () => ({ does: 'powerCut', keeps: random.pick([0, 0.5, 1]) }))
  if (exists.has('quota')) add(2, () => ({ does: 'quota', ms: ms() }))
  if (exists.has('handle')) add(2, () => ({ does: 'deadHandle', tab: tab(), ms: ms() }))
  if (exists.has('freeze')) add(2, () => ({ does: 'freeze', tab: tab(), ms: random.pick([1_000, 20_000, 120_000]) }))
  if (capabilities.steal && exists.has('freeze') && config.keyWindow !== 0) add(1, () => ({ does: 'steal', ms: ms() }))
  const gaps = random.pick<[number, ...number[]]>([
    [0, 0, 5, 60],
    [0, 60, 900, 6_000],
    [0, 5, 900, 60_000],
  ])
  return Array.from({ length: random.int(4, random.pick([8, 16, 28])) }, () => {
    const deed = (kinds[random.int(0, kinds.length - 1)] ?? (() => ({ does: 'online' as const })))()
    return { after: random.pick(gaps), ...deed }
  })
}

function weatherOf(random: Random, exists: Set<Fault>, { keyWindow }: ScriptConfig): Weather[] {
  const bad = (['lost answers', 'refusals', 'servers', 'login'] as const).filter((fault) => exists.has(fault))
  const share = random.pick([0.2, 0.5, 0.8])
  const slow = random.pick<[number, ...number[]]>([[0], [0, 0, 5, 40], [0, 100, 400, 2_000]])
  return Array.from({ length: random.int(0, 24) }, () => {
    const [first, ...rest] = bad
    const is = first && random.chance(share) ? random.pick(answers[random.pick([first, ...rest])]) : 'fine'
    const answer = exists.has('lost answers') && random.chance(0.1) ? 7_000 : random.pick(slow)
    return {
      // Nobody can tell two copies of a request apart that remembers no keys.
      is: is === 'doubled' && keyWindow === 0 ? 'fine' : is,
      takes: [random.pick(slow), random.pick(slow), answer] as Weather['takes'],
    }
  })
}

function storesOf(random: Random, exists: Set<Fault>): [number, StoreFate][] {
  if (!exists.has('store')) return []
  const fate = (): StoreFate => {
    const is = random.pick(['fails', 'fails', 'hangs', 'torn', 'lost'] as const)
    if (is === 'hangs') return { is, ms: random.pick([100, 3_000, 45_000]) }
    if (is === 'torn') return { is, keeps: random.next(), reopen: random.pick([0, 1_000]) }
    return { is }
  }
  return Array.from({ length: random.int(1, 5) }, () => [random.int(0, 60), fate()])
}

function crashesOf(random: Random): Crash[] {
  return Array.from({ length: random.int(1, 4) }, () => ({
    step: random.int(0, random.pick([10, 60, 200])),
    reopen: random.pick([0, 10, 1_000]),
    pending: random.pick<Pending>(['lost', 'done', 'torn']),
  }))
}
