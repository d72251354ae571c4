import type { Settings } from './options.ts'
import { createSeal } from './storage/seal.ts'
import { sealedBeside, sealedStore } from './storage/sealedStore.ts'

/** The settings of one owner's session: where there is a key, everything that is stored passes through it. */
export function sealedSettings(
  settings: Settings,
  owner: string,
  space: string,
): { settings: Settings; isOutdated: (journal: string) => boolean } {
  const { keyOf, scheduler, besideOf } = settings
  if (!keyOf) return { settings, isOutdated: () => false }
  const seal = createSeal({ keyOf, owner, scheduler, space })
  const store = sealedStore(settings.store, seal)
  return { settings: { ...settings, store, besideOf: sealedBeside(besideOf, seal) }, isOutdated: store.isOutdated }
}
