import { capabilities } from '../capabilities.ts'
import type { App } from './app.ts'
import { ownerName, type Tab } from './tab.ts'

/** Milliseconds of virtual time in which everything has drained once nothing goes wrong any more. */
export const bound = 900_000

/** Nothing goes wrong any more: everything has to drain, and what is left is noted; twice, with a new start between. */
export async function settleDown(app: App): Promise<void> {
  const { world } = app
  world.isCalm = true
  world.disk.quotaUntil = 0
  world.record({ is: 'calm' })
  app.switchNetwork(true)
  for (const tab of app.living) {
    tab.life.deadHandleUntil = 0
    app.thaw(tab.life)
    // Nobody waits for ever: the user loads the page again.
    if (tab.life.isStuck) world.crash(tab.life, 0, 'lost')
  }
  if (world.hangsUntil > world.loop.now) await world.loop.run(() => false, world.hangsUntil + 1)
  app.openAll()
  if (!capabilities.channel && app.tabs.length > 1) await app.closeAll()
  if (world.script.config.answer.afterRestart) {
    await app.closeAll()
    for (const at of app.tabs.keys()) app.open(at, '')
  }
  // What a tab left before anybody knew of it is found when the leader looks around.
  if (app.tabs.length > 1) await world.loop.run(() => false, world.loop.now + world.script.config.leaderTimeout)
  for (let owner = 0; owner < world.script.config.owners; owner++) await drain(app, ownerName(owner) ?? '')
  await app.closeAll()
  for (let owner = 0; owner < world.script.config.owners; owner++) {
    const name = ownerName(owner) ?? ''
    const tab = app.open(0, name)
    await opened(app, tab)
    note(app, tab, name, true)
    world.record({
      is: 'rows',
      owner: name,
      rows: [...world.server.rows.held].flatMap(([at, { data }]) =>
        at.startsWith(`${name}/`) ? [[at.slice(name.length + 1), data.rev] as [string, number]] : [],
      ),
    })
    world.record({ is: 'shown', owner: name, rows: world.store.of(name) })
    await app.closeAll()
  }
}

async function drain(app: App, owner: string): Promise<void> {
  const { world } = app
  const { retryDead } = world.script.config
  if (app.living.length === 0) app.open(0, owner)
  const end = world.loop.now + bound
  const isDone = () => app.living.every((tab) => isDrained(tab, retryDead)) && app.living.length > 0
  let rounds = 0
  do {
    rounds++
    app.openAll()
    for (const tab of app.living) if (tab.owner$.value !== owner) tab.switchOwner(owner)
    app.answerAll()
    for (const tab of app.living) {
      app.command(tab, 'resume', () => tab.persistence.resume())
      for (const type of ['note', 'tag'] as const)
        app.command(tab, 'authorized', () => tab.persistence.authorized(type), type)
      if (retryDead) app.command(tab, 'retryAll', () => tab.persistence.retryAll())
    }
    const isSure = () => isDone() && app.living.every(({ status }) => status.waiting === 0)
    await world.loop.run(isSure, Math.min(end, world.loop.now + 20_000))
    // What is written behind is written, and what other tabs left is taken in.
    const look = app.tabs.length > 1 && owner !== '' ? world.script.config.leaderTimeout : 0
    await world.loop.run(() => false, world.loop.now + look + 2_500)
  } while (
    !(isDone() && (rounds > 3 || app.living.every(({ status }) => status.waiting === 0))) &&
    world.loop.now < end
  )
  if (world.script.config.pull) await pullAll(app, owner, end)
  for (const tab of app.living) {
    if (isDrained(tab, retryDead)) note(app, tab, owner, false)
    else world.record({ is: 'stuck', life: tab.life.id, owner, status: JSON.stringify(tab.status) })
  }
}

/** What others changed is here, and what waited for own changes is, too. */
async function pullAll(app: App, owner: string, end: number): Promise<void> {
  const { world } = app
  const [tab] = app.living
  if (!tab) return
  let isPulled = false
  for (let tries = 0; tries < 4 && !isPulled; tries++) {
    // A page that was refused late asked for another login.
    for (const type of ['note', 'tag'] as const)
      app.command(tab, 'authorized', () => tab.persistence.authorized(type), type)
    tab.persistence.pull().then(
      () => (isPulled = true),
      () => undefined,
    )
    await world.loop.run(() => isPulled, Math.min(end, world.loop.now + 20_000))
  }
  await world.loop.run(() => false, world.loop.now + 2_500)
  if (!isPulled) world.record({ is: 'stuck', life: tab.life.id, owner, status: 'pull() did not resolve' })
}

/** Nothing is left that could go: dead letters, and what is parked behind them, may stay. */
function isDrained({ status, conflicts }: Tab, retryDead: boolean): boolean {
  const { phase, pending, waiting, processing, parked, dead } = status
  if (phase !== 'running' || conflicts.length > 0 || pending + processing > 0) return false
  // Behind what is parked others of its lane wait as well.
  return retryDead ? waiting + parked + dead === 0 : waiting === 0 || parked > 0
}

async function opened({ world }: App, tab: Tab): Promise<void> {
  await world.loop.run(() => tab.status.phase === 'running', world.loop.now + bound)
  if (tab.status.phase !== 'running')
    world.record({ is: 'stuck', life: tab.life.id, owner: tab.owner$.value ?? '', status: JSON.stringify(tab.status) })
}

function note({ world }: App, { life, status, dead }: Tab, owner: string, again: boolean): void {
  const { pending, waiting, processing, parked } = status
  world.record({
    is: 'final',
    life: life.id,
    owner,
    again,
    live: pending + processing + (parked > 0 ? 0 : waiting),
    parked: parked > 0 ? parked + waiting : 0,
    dead: dead.map(({ id: task, inDoubt = false }) => ({ task, inDoubt })),
  })
}
