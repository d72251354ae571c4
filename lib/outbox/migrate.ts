import { classify, PersistenceError } from '../errors.ts'
import type { StandardSchemaV1 } from '../standardSchema.ts'
import { decodeValue, encodeValue } from '../storage/value.ts'
import { validate } from '../validate.ts'
import type { Entry } from './lane.ts'

export interface MigrationConfig {
  /** The version of the app's shapes. */
  schemaVersion: number
  migrationOf: (entityType: string) => ((data: unknown, from: number) => unknown) | undefined
  schemaOf: (entityType: string) => StandardSchemaV1 | undefined
}

/**
 * What a task that waits since an older version is in the present shape; `undefined` where it goes as it is.
 *
 * @throws PersistenceError that says which could not: the migration, or the schema behind it
 */
export function migrate(
  { lane: { entityType }, schemaVersion: from, data }: Pick<Entry, 'lane' | 'schemaVersion' | 'data'>,
  { schemaVersion, migrationOf, schemaOf }: MigrationConfig,
): { data: string; schemaVersion: number } | undefined {
  if (data === undefined || from >= schemaVersion) return undefined
  const [migration, schema] = [migrationOf(entityType), schemaOf(entityType)]
  const way = `from version ${from} to ${schemaVersion}`
  let text = data
  try {
    if (migration) text = encodeValue(migration(decodeValue(data), from), entityType)
  } catch (cause) {
    throw new PersistenceError(`The migration of ${entityType} ${way} failed: ${classify(cause).message}`, { cause })
  }
  try {
    if (schema) validate(schema, decodeValue(text), entityType)
  } catch (cause) {
    const which = migration ? 'what the migration' : 'what no migration'
    const message = `The schema of ${entityType} refuses ${which} brought ${way}: ${classify(cause).message}`
    throw new PersistenceError(message, { cause })
  }
  return migration && { data: text, schemaVersion }
}
