import { type Observable, Subject } from 'rxjs'
import type { EventBus } from './api.ts'
import { decodeValue, encodeValue } from './storage/value.ts'
import type { EntityEventName, EntityMap, OutboxEvents } from './events.ts'
import type { Operation } from './types.ts'

/** An entity event on its way into an outbox, and the text of its data. */
export interface StatedEvent {
  operation: Operation
  payload: { entityType: string; [field: string]: unknown }
  text: string | undefined
}

/** Takes an event in, or throws and says why not. */
export type Intake = (event: StatedEvent) => void

/** What an attached outbox knows of its bus. */
export interface Attachment {
  errors$: Observable<unknown>
  /** Whether anybody listens: what nobody hears need not be made. */
  isHeard: (name: string) => boolean
  connect: (intake: Intake) => void
  detach: () => void
}

/** How an outbox is attached to a bus; not for apps. */
interface Socket {
  taken: boolean
  intake: Intake | undefined
  kept: StatedEvent[]
  isHeard: (name: string) => boolean
  errors$: Subject<unknown>
}

const operations: Record<EntityEventName, Operation> = {
  'entity:created': 'create',
  'entity:updated': 'update',
  'entity:deleted': 'delete',
}

type Subjects<Events> = { [N in keyof Events]: Subject<Events[N]> }

const sockets = new WeakMap<object, Socket>()

/**
 * The app's own bus. Entity events emitted before an outbox is attached are kept and taken in, in order.
 *
 * @example
 * const eventBus = createEventBus<{ note: Note }>()
 * eventBus.on('entity:persisted').subscribe(({ id }) => tick(id))
 * eventBus.emit('entity:created', { entityType: 'note', data: note })
 */
export function createEventBus<E extends EntityMap = Record<string, unknown>>(): EventBus<E> {
  type Events = OutboxEvents<E>
  const subjects: Partial<Subjects<Events>> = {}
  const heard = new Map<string, { observed: boolean }>()
  const socket: Socket = {
    taken: false,
    intake: undefined,
    kept: [],
    isHeard: (name) => heard.get(name)?.observed ?? false,
    errors$: new Subject(),
  }

  function subject<N extends keyof Events>(name: N): Subject<Events[N]> {
    const known: Partial<Subjects<Events>>[N] = subjects[name]
    if (known) return known
    const made = new Subject<Events[N]>()
    Object.assign(subjects, { [name]: made })
    heard.set(name, made)
    return made
  }

  function on<N extends keyof Events>(name: N, handler?: (payload: Events[N]) => unknown) {
    const heard$: Observable<Events[N]> = subject(name).asObservable()
    if (!handler) return heard$
    return heard$.subscribe((payload) => {
      try {
        const done = handler(payload)
        // An async handler of whatever realm.
        Promise.resolve(done).catch((error: unknown) => socket.errors$.next(error))
      } catch (error) {
        socket.errors$.next(error)
      }
    })
  }

  const bus: EventBus<E> = {
    emit(name, payload) {
      if (isEntityEvent(name)) state(socket, operations[name], payload)
      subjects[name]?.next(payload)
    },
    on: on as EventBus<E>['on'],
    errors$: socket.errors$.asObservable(),
  }
  sockets.set(bus, socket)
  return bus
}

/**
 * Attaches an outbox: `connect` takes in what was kept, in order, and from then on everything; once detached, events
 * are kept again.
 *
 * @throws TypeError for a bus that does not come from `createEventBus`, or that has an outbox
 */
export function attach(bus: object): Attachment {
  const socket = sockets.get(bus)
  if (!socket) throw new TypeError('Option bus: has to come from createEventBus().')
  if (socket.taken) throw new TypeError('Option bus: another outbox is attached to it; close() that one first.')
  socket.taken = true
  return {
    errors$: socket.errors$,
    isHeard: socket.isHeard,
    connect(intake) {
      for (const event of socket.kept.splice(0)) {
        try {
          intake(event)
        } catch (error) {
          socket.errors$.next(error)
        }
      }
      socket.intake = intake
    },
    detach() {
      socket.taken = false
      socket.intake = undefined
    },
  }
}

function isEntityEvent(name: PropertyKey): name is EntityEventName {
  return Object.hasOwn(operations, name)
}

function state(socket: Socket, operation: Operation, payload: unknown): void {
  if (typeof payload !== 'object' || payload === null)
    throw new TypeError('An entity event needs a payload: { entityType, data }.')
  const fields = { ...payload }
  const entityType: unknown = Reflect.get(fields, 'entityType')
  if (typeof entityType !== 'string' || entityType === '')
    throw new TypeError('entityType has to be a non-empty string.')
  const data: unknown = Reflect.get(fields, 'data')
  const text = data === undefined ? undefined : encodeValue(data, entityType)
  const event: StatedEvent = { operation, payload: { ...fields, entityType }, text }
  if (socket.intake) socket.intake(event)
  // What waits is a copy: the app may go on changing its own.
  else
    socket.kept.push(text === undefined ? event : { ...event, payload: { ...event.payload, data: decodeValue(text) } })
}
