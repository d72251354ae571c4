import type { LocalForageLike } from '../../lib/api.ts'

/** A localforage of its own, in memory: what it holds can be looked at, damaged and wiped. */
export interface FakeForage extends LocalForageLike {
  readonly items: Map<string, unknown>
  /** Called before each write; what it throws is the answer. */
  beforeWrite: (key: string) => void | Promise<void>
  /** The same for one process: once that is killed, its calls neither do anything nor return. */
  mortal: () => { forage: LocalForageLike; kill: () => void }
}

export function fakeForage(items = new Map<string, unknown>()): FakeForage {
  const forage: FakeForage = {
    items,
    beforeWrite: () => undefined,
    getItem: async <T>(key: string) => structuredClone((items.get(key) as T | undefined) ?? null),
    async setItem(key, value) {
      await forage.beforeWrite(key)
      items.set(key, structuredClone(value))
      return value
    },
    async removeItem(key) {
      await forage.beforeWrite(key)
      items.delete(key)
    },
    keys: async () => [...items.keys()],
    iterate: async <T, U>(visit: (value: T, key: string, index: number) => U) => {
      let last: U | undefined
      let at = 0
      for (const [key, value] of items) last = visit(value as T, key, at++)
      return last as U
    },
    mortal() {
      let alive = true
      const whileAlive =
        <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
        (...args: A): Promise<R> =>
          alive ? call(...args) : new Promise(() => undefined)
      return {
        forage: {
          getItem: whileAlive(forage.getItem) as LocalForageLike['getItem'],
          setItem: whileAlive(forage.setItem),
          removeItem: whileAlive(forage.removeItem),
          keys: whileAlive(forage.keys),
          iterate: whileAlive(forage.iterate),
        },
        kill: () => (alive = false),
      }
    },
  }
  return forage
}
