import type { LockManagerLike } from '../api.ts'

type Release = () => void

/** Takes a lock, as soon as it can be had; resolves with how to let it go. Without Web Locks nobody else is there. */
export async function holdLock(locks: LockManagerLike | null, name: string): Promise<Release> {
  return (await request(locks, name, {})) ?? (() => undefined)
}

/** Takes a lock that nobody holds: resolves with how to let it go, or with `undefined` where somebody holds it. */
export function holdFreeLock(locks: LockManagerLike | null, name: string): Promise<Release | undefined> {
  return request(locks, name, { ifAvailable: true })
}

function request(
  locks: LockManagerLike | null,
  name: string,
  options: { ifAvailable?: boolean },
): Promise<Release | undefined> {
  if (!locks) return Promise.resolve(() => undefined)
  return new Promise((resolve, reject) => {
    locks
      .request(name, options, (lock) => {
        if (lock) return new Promise<void>((release) => resolve(release))
        resolve(undefined)
        return Promise.resolve()
      })
      .catch(reject)
  })
}
