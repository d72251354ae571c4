import type { Life } from './life.ts'
import type { World } from './world.ts'

interface Port {
  life: Life
  name: string
  onmessage: ((event: MessageEvent) => unknown) | null
}

/** Channels between the tabs of one origin; messages come late, in another order, or not at all. */
export class Channels {
  private readonly world: World
  private readonly ports = new Set<Port>()

  constructor(world: World) {
    this.world = world
  }

  open(life: Life, name: string) {
    const port: Port = { life, name, onmessage: null }
    this.ports.add(port)
    life.onDeath(() => this.ports.delete(port))
    return {
      get onmessage() {
        return port.onmessage
      },
      set onmessage(handler: Port['onmessage']) {
        port.onmessage = handler
      },
      postMessage: (message: unknown): void => {
        if (life.step()) this.post(port, message)
      },
      close: (): void => void this.ports.delete(port),
    }
  }

  private post(from: Port, message: unknown): void {
    const { world } = this
    let data: unknown
    const { latency, lost } = world.script.config.channel
    for (const port of this.ports) {
      if (port === from || port.name !== from.name) continue
      if (!world.isCalm && world.random.int(1, 100) <= lost) {
        world.hit('message lost')
        continue
      }
      data ??= structuredClone(message)
      const ms = latency === 0 ? 0 : world.random.int(0, latency)
      const hear = () => this.ports.has(port) && port.life.step() && port.onmessage?.({ data } as MessageEvent)
      world.loop.in(ms, hear, port.life)
    }
  }
}
