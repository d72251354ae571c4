import { firstValueFrom, from, of, type SchedulerLike, timeout } from 'rxjs'
import type { Encryption, EncryptionKey } from '../api.ts'
import { LockedError } from '../errors.ts'

/** Milliseconds for which a key is waited for before the journal counts as locked. */
const patience = 1_000
const late = Symbol('late')

export interface KeyringConfig {
  keyOf: Encryption['key']
  owner: string
  scheduler: SchedulerLike
}

/** The keys of one owner, as the app gives them. */
export interface Keyring {
  /**
   * The key of that id; without one, the key to write with.
   *
   * @throws LockedError where there is none, or not yet
   */
  key: (id?: string) => Promise<EncryptionKey>
}

export function createKeyring({ keyOf, owner, scheduler }: KeyringConfig): Keyring {
  /** Answers that nobody has heard yet: a person who is asked is not asked again meanwhile. */
  const asked = new Map<string | undefined, Promise<EncryptionKey | undefined>>()

  async function answerTo(id: string | undefined, which: string): Promise<EncryptionKey | undefined> {
    const answer = asked.get(id) ?? Promise.resolve().then(() => keyOf({ owner, ...(id !== undefined && { id }) }))
    asked.set(id, answer)
    const answer$ = from(answer).pipe(timeout({ first: patience, scheduler, with: () => of(late) }))
    const heard = await firstValueFrom(answer$).catch((cause: unknown) => {
      asked.delete(id)
      throw new LockedError(`The journal is locked: the option encryption threw, asked for ${which}.`, { cause })
    })
    if (heard === late) {
      // Without the key: an error may end up anywhere.
      const unlocked = answer.then(
        () => undefined,
        () => undefined,
      )
      throw new LockedError(`The journal is locked: ${which} is still waited for.`, { unlocked })
    }
    asked.delete(id)
    return heard
  }

  return {
    async key(id) {
      const which = id === undefined ? 'the key to write with' : `the key ${id}`
      const key = await answerTo(id, which)
      if (!key) throw new LockedError(`The journal is locked: ${which} is not there.`)
      if (id !== undefined && key.id !== id)
        throw new LockedError(`The journal is locked: the option encryption was asked for ${which} and gave another.`)
      // It stands between spaces.
      if (!/^[!-~]+$/.test(key.id))
        throw new LockedError('The journal is locked: the id of a key has to be ASCII without spaces.')
      return key
    },
  }
}
