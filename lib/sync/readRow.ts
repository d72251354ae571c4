import type { StandardSchemaV1 } from '../standardSchema.ts'
import { encodeValue } from '../storage/value.ts'
import { validate } from '../validate.ts'

/** A row of the remote that was checked and can be stored. */
export interface Row {
  id: string
  /** The entity as text; `undefined` where it was deleted. */
  text: string | undefined
  version: string | number | undefined
  backendId: string | undefined
}

/** Reads what a strategy gave as a row; `name` is what it is called in errors. */
export type ReadRow = (given: unknown, name: string) => Row

/** @throws TypeError that names the field's path; also of what throws when it is looked at */
export function readRow(given: unknown, name: string, schema: StandardSchemaV1 | undefined): Row {
  if (given instanceof Error) throw given
  if (typeof given !== 'object' || given === null) throw new TypeError(`${name} has to be an object.`)
  const field = (key: string): unknown => Reflect.get(given, key)
  const [id, version, backendId] = [readId(field('id'), `${name}.id`), field('version'), field('backendId')]
  if (field('deleted') === true) return { id, text: undefined, version: undefined, backendId: undefined }
  const data = field('data')
  if (data === undefined) throw new TypeError(`${name}.data is missing; it is the whole entity.`)
  const isVersion = typeof version === 'string' || (typeof version === 'number' && Number.isFinite(version))
  if (version !== undefined && !isVersion) throw new TypeError(`${name}.version has to be a text or a number.`)
  if (backendId !== undefined && typeof backendId !== 'string')
    throw new TypeError(`${name}.backendId has to be a text.`)
  const text = encodeValue(data, `${name}.data`)
  validate(schema, data, `${name}.data`)
  return { id, text, version: isVersion ? version : undefined, backendId }
}

export function readId(id: unknown, name: string): string {
  if (typeof id === 'string' && id !== '') return id
  throw new TypeError(`${name} has to be a text that is not empty.`)
}
