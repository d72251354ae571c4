import type { LocalForageLike } from '../../../lib/api.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

/** A second store beside the journals, like localforage: it does not go when the journals go. */
export class Mirror {
  private readonly world: World
  private readonly values = new Map<string, unknown>()

  constructor(world: World) {
    this.world = world
  }

  of(life: Life): LocalForageLike {
    const call = <T>(effect: () => T): Promise<T> =>
      new Promise((resolve) => {
        if (!life.step()) return
        this.world.loop.in(
          this.world.latency(),
          () => {
            const result = effect()
            if (life.step()) resolve(result)
          },
          life,
        )
      })
    return {
      getItem: <T>(key: string) => call(() => structuredClone((this.values.get(key) ?? null) as T | null)),
      setItem: <T>(key: string, value: T) => {
        const kept = structuredClone(value)
        return call(() => {
          this.values.set(key, kept)
          return value
        })
      },
      removeItem: (key) => call(() => void this.values.delete(key)),
      keys: () => call(() => [...this.values.keys()]),
      iterate: <T, U>(visit: (value: T, key: string, index: number) => U) =>
        call(() => {
          let index = 1
          for (const [key, value] of this.values) {
            const said = visit(structuredClone(value) as T, key, index++)
            if (said !== undefined) return said
          }
          return undefined as U
        }),
    }
  }
}
