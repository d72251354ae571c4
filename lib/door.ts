import type { StatedEvent } from './bus.ts'
import type { Settings } from './options.ts'
import { decodeValue, encodeValue } from './storage/value.ts'
import { validate } from './validate.ts'
import type { EntityEvent } from './events.ts'
import type { EntityRef } from './types.ts'

/** An entity event that was checked and can be stored: the library's side of the door. */
export interface Draft extends EntityEvent {
  /** The entity as text; `undefined` for a delete. */
  text: string | undefined
  createdAt: number
  priority: number
}

type Given = { entityType: string; [field: string]: unknown }

/**
 * Checks an entity event, synchronously, while the caller's stack is still visible.
 *
 * @throws TypeError that names the field's path
 */
export type Door = (operation: StatedEvent['operation'], payload: Given, text?: string) => Draft

export function createDoor(settings: Settings): Door {
  const { idOf, schemaOf, priorityOf, maxAge, scheduler } = settings
  return (operation, payload, given) => {
    const { entityType, data } = payload
    const text = data === undefined ? undefined : (given ?? encodeValue(data, entityType))
    if (operation !== 'delete') {
      if (text === undefined) throw new TypeError(`${entityType}: data is missing; it is the whole entity.`)
      validate(schemaOf(entityType), data, entityType)
    }
    const id = payload['id'] ?? (data === undefined ? undefined : idOf(data, entityType))
    if (typeof id !== 'string' || id === '') {
      throw new TypeError(`${entityType}.id has to be a non-empty string; the option idOf says where it is.`)
    }
    const event: EntityEvent = { entityType, id, operation, ...optionsOf(payload, entityType) }
    event.maxAge ??= maxAge
    const createdAt = scheduler.now()
    const ends = [event.expiresAt, event.maxAge === undefined ? undefined : createdAt + event.maxAge]
    const expiresAt = Math.min(...ends.map((end) => end ?? Infinity))
    const priority = event.priority ?? finite(priorityOf({ ...event, data }), 'priority()')
    return {
      ...event,
      createdAt,
      priority,
      expiresAt: expiresAt === Infinity ? undefined : expiresAt,
      text: operation === 'delete' ? undefined : text,
    }
  }
}

/** A draft as the operators of its type see it: with a copy of the data of its own. */
export function eventOf({ text, createdAt: _, ...event }: Draft): EntityEvent {
  return text === undefined ? event : { ...event, data: decodeValue(text) }
}

function optionsOf(
  payload: Given,
  entityType: string,
): Pick<EntityEvent, 'priority' | 'maxAge' | 'expiresAt' | 'dependsOn'> {
  const { priority, maxAge, expiresAt, dependsOn } = payload
  return {
    ...(priority !== undefined && { priority: finite(priority, `${entityType}: priority`) }),
    ...(maxAge !== undefined && { maxAge: positive(maxAge, `${entityType}: maxAge`) }),
    ...(expiresAt !== undefined && { expiresAt: finite(expiresAt, `${entityType}: expiresAt`) }),
    ...(dependsOn !== undefined && { dependsOn: refs(dependsOn, entityType) }),
  }
}

function finite(value: unknown, name: string): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new TypeError(`${name} has to be a finite number.`)
}

function positive(value: unknown, name: string): number {
  const number = finite(value, name)
  if (number > 0) return number
  throw new TypeError(`${name} has to be more than 0.`)
}

function refs(value: unknown, entityType: string): EntityRef[] {
  const wrong = () => new TypeError(`${entityType}: dependsOn has to be a list of { entityType, id }, both strings.`)
  if (!Array.isArray(value)) throw wrong()
  return value.map((ref: unknown) => {
    if (typeof ref !== 'object' || ref === null) throw wrong()
    const type: unknown = Reflect.get(ref, 'entityType')
    const id: unknown = Reflect.get(ref, 'id')
    if (typeof type !== 'string' || typeof id !== 'string') throw wrong()
    return { entityType: type, id }
  })
}
