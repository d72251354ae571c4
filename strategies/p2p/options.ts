import { asyncScheduler, type SchedulerLike } from 'rxjs'
import { browserStorage } from '../crdt/documentStorage.ts'
import type { DocumentStorage } from './documents.ts'
import { type PeerLimits, peerLimits } from './limits.ts'
import type { Signalling } from './signalling.ts'
import type { PeerTransport } from './transport.ts'
import { trysteroTransport } from './trysteroTransport.ts'

/** What the strategy needs, however peers are reached. */
export interface P2pCommonOptions<T> {
  /** Names the room. Entities of one type share one room, and no two types the same. */
  room: string
  /**
   * Where documents are stored: an instance of localforage, or what works like one. It is what other devices rely on
   * when this one confirms. @default IndexedDB, by localforage
   */
  storage?: DocumentStorage
  /**
   * Other devices that have to have stored a change before its task is persisted; 0: it is persisted when it is stored
   * here, and offered to whoever comes. @default 1
   */
  acks?: number
  /** Milliseconds for which an attempt waits for enough devices to be there, before it fails. @default 10_000 */
  patience?: number
  /** Fields that are shared texts: what several devices write into one is merged letter by letter. @default [] */
  text?: readonly string[]
  /** The id of an entity, as in the outbox: a peer's entity of another id is refused. @default data.id */
  idOf?: (data: T) => string
  /** How much a peer may ask of this device. @default see `PeerLimits` */
  limits?: Partial<PeerLimits>
  /** Gives the time. @default RxJS's asyncScheduler */
  scheduler?: SchedulerLike
}

/** Over WebRTC. */
export interface WebRtcOptions<T> extends P2pCommonOptions<T> {
  /** Whoever knows it is in; choose a long one. */
  password: string
  /** How devices find each other. */
  signalling: Signalling
  /** For STUN and TURN servers. @default { iceServers: [] }: no server is asked, devices reach each other in one network */
  rtcConfig?: RTCConfiguration
}

/** Over something of one's own. */
export interface TransportOptions<T> extends P2pCommonOptions<T> {
  transport: PeerTransport
}

export type P2pOptions<T> = WebRtcOptions<T> | TransportOptions<T>

/**
 * The options with their defaults.
 * @throws TypeError that names the option
 */
export function withDefaults<T>(options: P2pOptions<T>) {
  const {
    room,
    storage = browserStorage('p2p'),
    acks = 1,
    patience = 10_000,
    text = [],
    scheduler = asyncScheduler,
  } = options
  const limits = { ...peerLimits, ...options.limits }
  if (typeof room !== 'string' || room === '') throw wrong('room', 'a text that is not empty')
  for (const method of ['getItem', 'setItem', 'keys'] as const)
    if (storage && typeof storage[method] !== 'function')
      throw wrong('storage', 'an instance of localforage, or work like one')
  if (!Number.isSafeInteger(acks) || acks < 0) throw wrong('acks', 'a whole number from 0 up')
  if (!(patience >= 0 && patience <= 2 ** 31 - 1)) throw wrong('patience', 'milliseconds from 0 up')
  if (!Array.isArray(text) || !text.every((field) => typeof field === 'string')) throw wrong('text', 'a list of fields')
  for (const [name, limit] of Object.entries(limits))
    if (!(typeof limit === 'number' && limit > 0)) throw wrong(`limits.${name}`, 'a number above 0')
  const { idOf = (data: T) => String(Reflect.get(Object(data) as object, 'id')) } = options
  const isOurs = (id: string, data: unknown) => idOf(data as T) === id
  return {
    isOurs,
    room,
    storage,
    acks,
    patience,
    text: text as readonly string[],
    limits,
    scheduler,
    transport: transportOf(options),
  }
}

function transportOf<T>(options: P2pOptions<T>): PeerTransport {
  if ('transport' in options) {
    if (typeof options.transport !== 'function') throw wrong('transport', 'a function')
    return options.transport
  }
  const { room, password, signalling, rtcConfig = { iceServers: [] } } = options
  if (typeof password !== 'string' || password === '') throw wrong('password', 'a text that is not empty')
  if (typeof signalling?.publish !== 'function' || typeof signalling.messages !== 'function')
    throw wrong('signalling', 'broadcastChannelSignalling(), webSocketSignalling(url), or work like them')
  const limits = { ...peerLimits, ...options.limits }
  return trysteroTransport({ room, password, signalling, rtcConfig, limits })
}

function wrong(option: string, expected: string): TypeError {
  return new TypeError(`p2pStrategy: \`${option}\` must be ${expected}`)
}
