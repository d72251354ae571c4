import { isPlain, sameValue } from '../sync/sameValue.ts'

/** What a field was, and what both sides made of it; `undefined` where there is none. */
export interface FieldConflict<V = unknown> {
  base: V | undefined
  local: V | undefined
  remote: V | undefined
}

type Fields = Record<string, unknown>

/** The fields of both sides; without a base nobody knows who changed what. */
export interface Sides {
  base: Fields | undefined
  local: Fields
  remote: Fields
}

export interface FieldRules {
  /** What a field of the entity itself becomes that both sides changed; `undefined` where there is no such rule. */
  ofField?: (name: string, field: FieldConflict) => { value: unknown } | undefined
  /** The side whose value stays, where there is no rule. */
  otherwise: () => 'local' | 'remote'
}

/**
 * Merges two objects field by field, and inside of plain objects. Fields are only ever read and made as own ones:
 * `__proto__` is a field like any other.
 */
export function mergeObjects({ base, local, remote }: Sides, { ofField, otherwise }: FieldRules): Fields {
  const merged: [string, unknown][] = []

  function merge(name: string): { value: unknown } | undefined {
    const [was, mine, theirs] = [base && own(base, name), own(local, name), own(remote, name)]
    if (isSame(mine, theirs)) return mine
    // Without a base what only one side has was added there, or removed by the other: it stays.
    if (!base && (!mine || !theirs)) return mine ?? theirs
    if (base && isSame(was, mine)) return theirs
    if (base && isSame(was, theirs)) return mine
    const field = { base: was?.value, local: mine?.value, remote: theirs?.value }
    const ruled = ofField?.(name, field)
    if (ruled) return ruled
    if (isPlain(field.local) && isPlain(field.remote)) {
      const within = isPlain(field.base) ? field.base : base && {}
      return { value: mergeObjects({ base: within, local: field.local, remote: field.remote }, { otherwise }) }
    }
    return otherwise() === 'local' ? mine : theirs
  }

  for (const name of new Set([...Object.keys(remote), ...Object.keys(local)])) {
    const field = merge(name)
    if (field) merged.push([name, field.value])
  }
  return Object.fromEntries(merged)
}

function own(fields: Fields, name: string): { value: unknown } | undefined {
  return Object.hasOwn(fields, name) ? { value: fields[name] } : undefined
}

function isSame(a: { value: unknown } | undefined, b: { value: unknown } | undefined): boolean {
  return a && b ? sameValue(a.value, b.value) : a === b
}
