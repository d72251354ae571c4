import type { ConflictResolver } from '../conflict.ts'
import { isPlain, sameValue } from '../sync/sameValue.ts'
import { type FieldConflict, mergeObjects } from './mergeObjects.ts'

export interface MergeFieldsOptions<T> {
  /** How fields are merged that both sides changed: `mergeText` of `rx-outbox/merge`, or a function of your own. */
  fields?: { [K in keyof T & string]?: (field: FieldConflict<T[K]>) => T[K] | undefined }
  /** Whose value stays where both sides changed a field; `'ask'` asks about the entity. @default 'local' */
  otherwise?: 'local' | 'remote' | 'ask'
}

/**
 * Three-way, field by field: what only one side changed stays changed. Plain objects are merged inside, too; a list is one
 * value, like everything else. Where one side deleted the entity and the other changed it, the change stays, or the app is
 * asked.
 *
 * @example conflict: { note: mergeFields({ fields: { text: mergeText }, otherwise: 'ask' }) }
 */
export function mergeFields<T extends object>(options: MergeFieldsOptions<NoInfer<T>> = {}): ConflictResolver<T> {
  const { otherwise = 'local' } = options
  const rules = new Map<string, unknown>(Object.entries(options.fields ?? {}))

  function ofField(name: string, field: FieldConflict): { value: unknown } | undefined {
    const rule = rules.get(name)
    return typeof rule === 'function' ? { value: Reflect.apply(rule, undefined, [field]) } : undefined
  }

  return ({ base, local, remote }) => {
    if (local === undefined || remote === undefined) {
      if (otherwise === 'ask') return 'ask'
      return local === undefined ? 'remote' : 'local'
    }
    if (!isPlain(local) || !isPlain(remote)) return otherwise
    let isOpen = false
    const merged = mergeObjects(
      { base: isPlain(base) ? base : undefined, local, remote },
      { ofField, otherwise: () => ((isOpen = true), otherwise === 'remote' ? 'remote' : 'local') },
    )
    if (isOpen && otherwise === 'ask') return 'ask'
    if (sameValue(merged, local)) return 'local'
    // Made of the fields of both, it is of their type.
    return sameValue(merged, remote) ? 'remote' : { merged: merged as T }
  }
}
