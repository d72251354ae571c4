import type { EntityRef, Receipt } from '../../../lib/types.ts'
import type { Conflict } from '../../../lib/conflict.ts'
import type { Action, Decision, Operation, Script } from '../script.ts'
import type { Life } from './life.ts'
import { writeAsOther } from './others.ts'
import { resolutionOf, tellDecision } from './resolver.ts'
import type { Row } from './rows.ts'
import { type Entities, ownerName, Tab } from './tab.ts'
import { World } from './world.ts'

const entities = ['note 1', 'note 2', 'tag 1', 'tag a/b']

const nameOf = (entity: number): string => entities[entity] ?? `note ${entity}`

type Saying = Extract<Action, { does: 'save' | 'remove' }>

/** The app in all its tabs, its user, and the ill fortune of the device: makes the script happen. */
export class App {
  readonly world: World
  readonly tabs: (Tab | undefined)[] = []
  private readonly reopening = new Map<number, string | null>()
  /** What the app wants to say in tabs that are frozen: it does as it wakes. */
  private readonly asleep = new Map<Life, Saying[]>()
  private revs = 0
  /** All tabs are being closed: none is opened again. */
  private isShutting = false

  constructor(script: Script) {
    this.world = new World(script)
    this.world.onAsked = () => this.world.isCalm && this.world.loop.in(100, () => this.answerAll())
    this.world.onCrash = (life, reopen) => this.gone(life, reopen)
    for (let at = 0; at < script.config.tabs; at++) this.open(at, ownerName(0))
  }

  get living(): Tab[] {
    return this.tabs.filter((tab) => tab !== undefined)
  }

  /** Opens a tab, with the owner that it had. */
  open(at: number, owner: string | null): Tab {
    this.reopening.delete(at)
    const tab = new Tab(this.world, at, owner)
    this.tabs[at] = tab
    // It may have died while it was opened.
    if (!tab.life.isAlive) this.gone(tab.life, 500)
    return tab
  }

  /** Opens everything that is closed. */
  openAll(): void {
    for (const [at, owner] of this.reopening) if (!this.tabs[at]) this.open(at, owner)
  }

  /** All tabs are closed; the library gets the time that it needs. */
  async closeAll(): Promise<void> {
    this.isShutting = true
    const closing = Promise.all(this.living.map((tab) => tab.close()))
    let isDone = false
    void closing.then(() => (isDone = true))
    await this.world.loop.run(() => isDone, this.world.loop.now + 600_000)
    for (const tab of this.living) {
      if (tab.life.isAlive) this.world.record({ is: 'late', life: tab.life.id, what: 'close() did not resolve' })
      tab.life.die('lost')
      this.tabs[tab.life.tab] = undefined
    }
    this.reopening.clear()
    this.isShutting = false
  }

  async live(actions: readonly Action[]): Promise<void> {
    const { loop } = this.world
    for (const action of actions) {
      await loop.run(() => false, loop.now + action.after)
      this.happen(action)
    }
  }

  private happen(action: Action): void {
    const { world } = this
    switch (action.does) {
      case 'save':
      case 'remove':
        return this.emit(action)
      case 'offline':
      case 'online':
        return this.switchNetwork(action.does === 'online')
      case 'clock':
        world.hit(action.by < 0 ? 'clock set back' : 'clock set ahead')
        world.skew += action.by
        if (action.by < 0) world.grace -= action.by
        return world.record({ is: 'clock jump', by: action.by })
      case 'wipe':
      case 'powerCut':
        return this.destroy(action)
      case 'quota':
        world.disk.quotaUntil = world.loop.now + action.ms
        return
      case 'steal':
        return world.locks.steal(action.ms)
      case 'other saves':
      case 'other removes':
        return writeAsOther(world, ownerName(action.owner) ?? '', nameOf(action.entity), action.does === 'other saves')
      default:
        return this.inTab(action)
    }
  }

  private inTab(action: Extract<Action, { tab: number }>): void {
    const { world } = this
    const tab = this.tabs[action.tab % this.tabs.length]
    if (!tab || tab.life.isFrozen || tab.isClosing) return
    const { life, persistence } = tab
    switch (action.does) {
      case 'crash':
        world.hit('crash')
        return world.crash(life, action.reopen, action.pending)
      case 'close':
        void tab.close().then(() => this.tabs[life.tab] === tab && this.gone(life, action.reopen))
        return
      case 'freeze':
        world.hit('tab frozen')
        world.grace += action.ms
        world.record({ is: 'freeze', life: life.id })
        life.freeze()
        world.loop.in(action.ms, () => this.thaw(life))
        return
      case 'deadHandle':
        life.deadHandleUntil = world.loop.now + action.ms
        return
      case 'owner':
        if (world.script.config.owners > 1) tab.switchOwner(ownerName(action.owner))
        return
      case 'retry': {
        const letter = chosen(tab.dead, action.pick)
        return letter && this.command(tab, 'retry', () => persistence.retry(letter.id))
      }
      case 'discard': {
        const task = chosen([...tab.queue, ...tab.dead], action.pick)
        return task && this.command(tab, 'discard', () => persistence.discard(task.id))
      }
      case 'resolve': {
        const conflict = chosen(tab.conflicts, action.pick)
        return conflict && this.resolve(tab, conflict, action.answer)
      }
      case 'authorized':
        for (const type of ['note', 'tag'] as const)
          this.command(tab, 'authorized', () => persistence.authorized(type), type)
        return
      case 'pull':
        return this.command(tab, 'pull', () => persistence.pull())
      default: {
        const { does } = action
        if (does !== 'save' && does !== 'remove') this.command(tab, does, () => persistence[does]())
      }
    }
  }

  thaw(life: Life): void {
    if (!life.isFrozen || !life.isAlive) return
    this.world.record({ is: 'thaw', life: life.id })
    life.thaw()
    // Before the library has heard anything.
    for (const action of this.asleep.get(life) ?? []) this.emit(action)
    this.asleep.delete(life)
  }

  switchNetwork(online: boolean): void {
    const { world } = this
    if (world.isOnline === online) return
    if (!online) world.hit('offline')
    world.isOnline = online
    world.record({ is: 'network', online })
    for (const tab of this.living) tab.switchNetwork(online)
  }

  /** A command of the user's; what it is refused for is his business. */
  command(tab: Tab, name: string, give: () => Promise<unknown>, entityType?: string): void {
    if (tab.isClosing) return
    this.world.record({ is: 'command', life: tab.life.id, name, ...(entityType !== undefined && { entityType }) })
    give().catch(() => undefined)
  }

  /** What the user says to what the app was asked. */
  resolve(tab: Tab, conflict: Conflict<Row>, decision: Decision): void {
    const { world } = this
    const { leader } = tab.status
    const { taskId } = conflict
    tellDecision(world, tab.life, conflict, 'app', decision)
    this.command(tab, 'resolve', async () => {
      await tab.persistence.resolve(taskId, resolutionOf(conflict, decision))
      world.hit('conflict decided by the app', true)
      if (!leader) world.hit('conflict decided by a follower', true)
      if (world.asked.get(taskId) !== tab.life.id) world.hit('conflict decided after a restart', true)
    })
  }

  /** What the app says in the end to whatever it is asked. */
  answerAll(): void {
    const { is, tab } = this.world.script.config.answer
    const asked = this.living[tab % this.living.length]
    for (const conflict of asked?.conflicts ?? []) if (asked) this.resolve(asked, conflict, is)
  }

  private destroy(action: Extract<Action, { does: 'wipe' | 'powerCut' }>): void {
    const { world } = this
    const lives = this.living.map(({ life }) => life)
    for (const life of lives) world.crash(life, 500, 'lost')
    if (action.does === 'wipe') {
      world.hit('store wiped')
      world.disk.wipe()
      return world.record({ is: 'wipe' })
    }
    const since = world.disk.powerCut(action.keeps)
    if (since === Infinity) return
    world.hit('power cut')
    world.record({ is: 'power cut', since })
  }

  private gone(life: Life, reopen: number): void {
    const tab = this.tabs[life.tab]
    if (tab?.life !== life) return
    const owner = tab.owner$.value
    this.tabs[life.tab] = undefined
    this.reopening.set(life.tab, owner)
    this.world.loop.in(reopen, () => {
      if (this.reopening.has(life.tab) && !this.tabs[life.tab] && !this.isShutting) this.open(life.tab, owner)
    })
  }

  private emit(action: Saying): void {
    const tab = this.tabs[action.tab % this.tabs.length]
    if (!tab || tab.isClosing) return
    if (tab.life.isFrozen) return this.sleepOn(tab.life, action)
    const owner = tab.owner$.value
    const entity = nameOf(action.entity)
    if (owner === null) return
    const at = `${owner}/${entity}`
    const isShown = this.world.store.has(at)
    if (action.does === 'remove' && !isShown) return
    const rev = ++this.revs
    const operation = action.does === 'remove' ? 'delete' : isShown ? 'update' : 'create'
    const known = this.world.store.change(at, operation === 'delete' ? null : rev, tab.life)
    const dependsOn = action.dependsOn.map(nameOf).filter((other) => other !== entity)
    const maxAge = action.does === 'save' ? action.maxAge : undefined
    const { receipt, expiresAt } = this.say(tab, operation, entity, rev, {
      priority: action.priority,
      dependsOn,
      maxAge,
    })
    const { taskId: task } = receipt
    const { world } = this
    world.record({ is: 'enq', life: tab.life.id, owner, task, entity, operation, rev, dependsOn, expiresAt })
    void receipt.durable.then(known, known)
    this.listen(tab, receipt)
  }

  private sleepOn(life: Life, action: Saying): void {
    const before = this.asleep.get(life)
    if (before) before.push(action)
    else this.asleep.set(life, [action])
  }

  private say(
    { persistence }: Tab,
    operation: Operation,
    entity: string,
    rev: number,
    { priority, dependsOn, maxAge }: { priority: number; dependsOn: string[]; maxAge: number | undefined },
  ): { receipt: Receipt; expiresAt: number | undefined } {
    const { entityType, id } = refOf(entity)
    const options = { priority, dependsOn: dependsOn.map(refOf), ...(maxAge !== undefined && { maxAge }) }
    const row = { id, rev, note: '{"__proto__":{"isAdmin":true}}' }
    const expiresAt = maxAge === undefined ? undefined : this.world.clock + maxAge
    if (operation === 'delete') return { receipt: persistence.deleted(entityType, id, options), expiresAt }
    const door = operation === 'create' ? persistence.created : persistence.updated
    return { receipt: door(entityType, row, options), expiresAt }
  }

  private listen({ life }: Tab, { taskId: task, durable, settled }: Receipt): void {
    const { world } = this
    durable.then(
      () => life.isAlive && world.record({ is: 'ack', life: life.id, task }),
      (error: unknown) => {
        const late = error instanceof Error && error.name === 'ClosedError'
        if (life.isAlive) world.record({ is: 'nack', life: life.id, task, late })
      },
    )
    void settled.then(({ status }) => life.isAlive && world.record({ is: 'receipt', life: life.id, task, status }))
  }
}

function chosen<T>(list: readonly T[], pick: number): T | undefined {
  return list[pick % Math.max(1, list.length)]
}

function refOf(name: string): EntityRef & { entityType: keyof Entities } {
  const [type, id = ''] = name.split(' ')
  return { entityType: type === 'note' ? 'note' : 'tag', id }
}
