import { check, type Verdict } from './check/checker.ts'
import { runScript } from './runScript.ts'
import type { Script } from './script.ts'

export async function judge(script: Script): Promise<Verdict> {
  return check((await runScript(script)).history)
}

/** The shortest script that still breaks the same promise: whatever can go without that goes. */
export async function shrink(script: Script): Promise<Script> {
  const broken = (await judge(script)).findings[0]?.invariant
  let best = script
  const stillFails = async (candidate: Script) => (await judge(candidate)).findings[0]?.invariant === broken
  for (let before = ''; before !== JSON.stringify(best);) {
    before = JSON.stringify(best)
    for (const list of ['actions', 'stores', 'crashes', 'pages', 'takings'] as const)
      best = await withoutSome(best, list, stillFails)
    for (const simpler of simplerThan(best)) if (await stillFails(simpler)) best = simpler
  }
  return best
}

/** Drops halves, quarters, and single ones, while it still fails. */
async function withoutSome(
  script: Script,
  list: 'actions' | 'stores' | 'crashes' | 'pages' | 'takings',
  stillFails: (candidate: Script) => Promise<boolean>,
): Promise<Script> {
  let best = script
  for (let size = Math.ceil(script[list].length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = best[list].length - size; from >= 0; from -= size) {
      const candidate = { ...best, [list]: best[list].toSpliced(from, size) }
      if (await stillFails(candidate)) best = candidate
    }
  }
  return best
}

function* simplerThan(script: Script): Generator<Script> {
  const { config, weather, actions } = script
  for (let kept = 0; kept < weather.length; kept++) yield { ...script, weather: weather.slice(0, kept) }
  for (const [at, one] of weather.entries()) {
    if (one.is !== 'fine') yield { ...script, weather: weather.with(at, { ...one, is: 'fine' }) }
    if (one.takes.some((ms) => ms > 0)) yield { ...script, weather: weather.with(at, { ...one, takes: [0, 0, 0] }) }
  }
  const plain: Partial<Script['config']>[] = [
    { tabs: 1 },
    { tabs: 2 },
    { owners: 1 },
    { concurrency: 1 },
    { quiet: 0 },
    { breaker: false },
    { jitter: 0 },
    { latency: 0 },
    { mirror: false },
    { retryDead: false },
    { maxOvertakes: 1_000 },
    { keyWindow: Infinity },
    { reconcile: false },
    { resolver: 'none' },
    { answer: { is: 'local', tab: 0, afterRestart: false } },
    { pull: false },
    { channel: { latency: 0, lost: 0 } },
  ]
  for (const change of plain) {
    const changed = { ...config, ...change }
    if (JSON.stringify(changed) !== JSON.stringify(config) && changed.tabs <= config.tabs)
      yield { ...script, config: changed }
  }
  for (const [at, action] of actions.entries()) {
    if (action.after > 0) yield { ...script, actions: actions.with(at, { ...action, after: 0 }) }
    if ('dependsOn' in action && action.dependsOn.length > 0)
      yield { ...script, actions: actions.with(at, { ...action, dependsOn: [] }) }
    if ('priority' in action && action.priority > 0)
      yield { ...script, actions: actions.with(at, { ...action, priority: 0 }) }
    if ('tab' in action && action.tab > 0) yield { ...script, actions: actions.with(at, { ...action, tab: 0 }) }
  }
}
