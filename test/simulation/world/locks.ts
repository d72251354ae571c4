import { Life } from './life.ts'
import type { World } from './world.ts'

interface Request {
  life: Life
  name: string
  isGranted: boolean
  callback: (lock: unknown) => Promise<void>
  done: (result: unknown) => void
  refused: (error: unknown) => void
}

interface LockOptions {
  signal?: AbortSignal
  ifAvailable?: boolean
  steal?: boolean
}

/** Web Locks of one origin: exclusive, first come, first served; `steal` takes a lock from whoever holds it. */
export class Locks {
  private readonly world: World
  private readonly holders = new Map<string, Request>()
  private readonly queues = new Map<string, Request[]>()

  constructor(world: World) {
    this.world = world
  }

  of(life: Life) {
    life.onDeath(() => this.release(life))
    return {
      request: (name: string, options: LockOptions, callback: (lock: unknown) => Promise<void>): Promise<unknown> =>
        new Promise((resolve, reject) => {
          if (!life.step()) return
          const { signal, ifAvailable = false, steal = false } = options
          if (signal?.aborted) return reject(abortError())
          const answer = (say: () => void) => this.world.loop.in(0, say, life)
          const request: Request = {
            life,
            name,
            isGranted: false,
            callback,
            done: (result) => void answer(() => resolve(result)),
            refused: (error) => void answer(() => reject(error)),
          }
          signal?.addEventListener('abort', () => this.withdraw(request))
          this.world.loop.in(
            this.world.latency(),
            () => life.isAlive && !signal?.aborted && this.enter(request, ifAvailable, steal),
          )
        }),
    }
  }

  /** Somebody from outside takes the lead, and does nothing with it for a while. */
  steal(ms: number): void {
    for (const [name, holder] of this.holders) {
      if (!name.startsWith('rx-outbox:lead:')) continue
      this.wrest(holder)
      const thief = { ...holder, life: new Life(this.world, -1) }
      this.holders.set(name, thief)
      this.world.hangsUntil = Math.max(this.world.hangsUntil, this.world.loop.now + ms)
      this.world.loop.in(ms, () => this.free(thief))
    }
  }

  /** What a life still has of locks. */
  left(life: Life): string[] {
    const waiting = [...this.queues.values()].flat().filter((request) => request.life === life)
    const held = [...this.holders.values()].filter((request) => request.life === life)
    return [...held, ...waiting].map(({ name }) => name)
  }

  private enter(request: Request, ifAvailable: boolean, steal: boolean): void {
    const holder = this.holders.get(request.name)
    if (holder && steal) {
      this.wrest(holder)
      this.grant(request)
    } else if (!holder) this.grant(request)
    else if (ifAvailable) this.world.loop.in(0, () => void this.call(request, null), request.life)
    else {
      const queue = this.queues.get(request.name)
      if (queue) queue.push(request)
      else this.queues.set(request.name, [request])
    }
  }

  private wrest({ life, refused }: Request): void {
    this.world.hit('lock stolen')
    this.world.record({ is: 'stolen', life: life.id })
    refused(abortError())
  }

  private grant(request: Request): void {
    request.isGranted = true
    this.holders.set(request.name, request)
    this.world.loop.in(0, () => void this.call(request, { name: request.name }), request.life)
  }

  private async call(request: Request, lock: unknown): Promise<void> {
    if (!request.life.step()) return
    try {
      await request.callback(lock)
      request.done(undefined)
    } catch (error) {
      request.refused(error)
    }
    if (lock) this.free(request)
  }

  private free(request: Request): void {
    // It may have been stolen meanwhile.
    if (this.holders.get(request.name) !== request) return
    this.holders.delete(request.name)
    const next = this.queues.get(request.name)?.shift()
    if (next) this.grant(next)
  }

  /** Of a lock that was granted already, its callback alone says when it is free again. */
  private withdraw(request: Request): void {
    if (request.isGranted) return
    const queue = this.queues.get(request.name)
    const at = queue?.indexOf(request) ?? -1
    if (at >= 0) queue?.splice(at, 1)
    request.refused(abortError())
  }

  private release(life: Life): void {
    for (const [name, queue] of this.queues)
      this.queues.set(
        name,
        queue.filter((request) => request.life !== life),
      )
    for (const request of this.holders.values()) if (request.life === life) this.free(request)
  }
}

const abortError = (): DOMException => new DOMException('The request was aborted.', 'AbortError')
