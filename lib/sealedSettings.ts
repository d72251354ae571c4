import type { Settings } from './options.ts'
import { createSeal } from './storage/seal.ts'
import { sealedBeside, sealedStore } from './storage/sealedStore.ts'

/** The settings of one owner: where there is a key, everything that is stored is sealed with it. */
export function sealedSettings(
  settings: Settings,
  space: string,
  owner: string,
): { settings: Settings; isOutdated: (journal: string) => boolean } {
  const { keyOf, scheduler, store, besideOf } = settings
  if (!keyOf) return { settings, isOutdated: () => false }
  const seal = createSeal({ keyOf, owner, scheduler, space })
  const { isOutdated, ...sealed } = sealedStore(store, seal)
  return { settings: { ...settings, store: sealed, besideOf: sealedBeside(besideOf, seal) }, isOutdated }
}
