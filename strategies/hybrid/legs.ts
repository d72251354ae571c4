import type { AttemptContext, PersistenceStrategy, PersistReceipt } from 'rx-outbox'
import type { ObservableInput } from 'rxjs'

/** Strategies by name; progress and checkpoints are kept under these names, so a leg that is renamed is a new one. */
export type Legs<T, L extends string> = Readonly<Record<L, PersistenceStrategy<T>>>

export interface Leg<T> {
  readonly name: string
  readonly strategy: PersistenceStrategy<T>
  /** Its backend id, versions, receipts and conflicts are those of the whole; else it gets and gives none. */
  readonly counts: boolean
  /** It does the same as the others at another place, so its remote knows the task by a key of its own. */
  readonly ownKey: boolean
}

/** One operation on one entity, for whichever leg. */
export type Call<T> = (
  strategy: PersistenceStrategy<T>,
  attempt: AttemptContext,
) => ObservableInput<PersistReceipt<T> | void>

/** @throws TypeError for a name that is none */
export function legsOf<T>(
  combinator: string,
  legs: Legs<T, string>,
  rolesOf: (name: string) => Pick<Leg<T>, 'counts' | 'ownKey'>,
): Leg<T>[] {
  const found = Object.entries(legs).map(([name, strategy]) => Object.assign({ name, strategy }, rolesOf(name)))
  if (found.length === 0) throw new TypeError(`${combinator}: \`legs\` must name a strategy`)
  for (const { name } of found) {
    // A name is part of a key, and keys of numbers would lose their order.
    if (!/^[A-Za-z][\w-]*$/.test(name))
      throw new TypeError(`${combinator}: the leg ${JSON.stringify(name)} must be called by letters, digits, _ and -`)
  }
  return found
}

/** @throws TypeError where `name` is no leg */
export function known(combinator: string, option: string, name: string, legs: object): string {
  if (Object.hasOwn(legs, name)) return name
  throw new TypeError(`${combinator}: \`${option}\` must be one of ${Object.keys(legs).join(', ')}`)
}
