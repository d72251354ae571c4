import { createRandom, type Random } from './random.ts'
import type { Action, Deed, PageFate, Script, TakingFate } from './script.ts'

/**
 * Some lives pull. What is drawn for them comes from a chance of its own: the others are what they are without it.
 */
export function drawPull(script: Script): Script {
  const random = createRandom(script.seed ^ 0x2545f491)
  if (!random.chance(0.35)) return script
  const share = random.pick([0, 0.5, 0.9])
  return {
    ...script,
    config: {
      ...script.config,
      pull: { limit: random.pick([1, 1, 2, 5]), interval: random.pick<number | false>([false, 20_000, 300_000]) },
    },
    actions: withOthers(script, random),
    pages: random.chance(share) ? pagesOf(random) : [],
    takings: random.chance(share) ? takingsOf(random) : [],
  }
}

/** Others write, and the app asks, between what happens there anyway. */
function withOthers({ actions, config }: Script, random: Random): Action[] {
  const more = random.int(1, random.pick([4, 8, 12]))
  const all = [...actions]
  for (let i = 0; i < more; i++)
    all.splice(random.int(0, all.length), 0, { after: random.pick([0, 5, 60, 900]), ...deed() })
  return all

  function deed(): Deed {
    if (random.chance(0.35)) return { does: 'pull', tab: random.int(0, config.tabs - 1) }
    return {
      does: random.pick(['other saves', 'other saves', 'other removes']),
      owner: random.int(0, config.owners - 1),
      entity: random.int(0, 3),
    }
  }
}

function pagesOf(random: Random): [number, PageFate][] {
  return Array.from({ length: random.int(2, 10) }, () => [
    random.int(0, 20),
    {
      is: random.pick(['fine', 'fine', 'fine', 'lost', 'silent', 'doubled', 'shuffled', 401, 429, 500]),
      takes: [random.pick([0, 20, 400]), random.pick([0, 20, 400, 2_000])],
    },
  ])
}

function takingsOf(random: Random): [number, TakingFate][] {
  return Array.from({ length: random.int(2, 8) }, () => [
    random.int(0, 8),
    { is: random.pick(['fine', 'fine', 'at once', 'throws', 'cut']), ms: random.pick([0, 20, 400, 2_000]) },
  ])
}
