import type { StandardSchemaV1 } from 'rx-outbox'
import type { UpdateLimits } from './applyForeign.ts'
import type { CrdtConnection } from './connection.ts'
import type { DocumentStorage } from './documentStorage.ts'

export interface CrdtOptions<T> {
  /** Where the documents are: `collection` is the index, `collection/id` each entity. The same on every device. */
  collection: string
  /** Of a Hocuspocus server: `wss://…`, or relative to the page. */
  url: string
  /** Fields that are shared texts: edits of several devices are merged letter by letter. @default [] */
  text?: readonly (keyof T & string)[]
  /**
   * Asked at each connection; never stored, never in an error. What it throws is the attempt's error; a refused token
   * makes the entity type wait for `authorized()`.
   * @default an empty text
   */
  token?: (owner: string) => string | Promise<string>
  /** Any Standard Schema, synchronous; checks what others wrote before it is shown. @default none */
  schema?: StandardSchemaV1<T>
  /** Where copies of the documents are kept. @default IndexedDB, by localforage; nowhere where there is none */
  storage?: DocumentStorage
  /** Of one update that the server sends, and of a document. @default 8 MiB, 200_000 pieces, 64 KiB pending, 8 MiB */
  limits?: Partial<UpdateLimits>
  /** For runtimes without a global `WebSocket`. */
  WebSocketPolyfill?: unknown
  /** Another server than Hocuspocus. @default Hocuspocus at `url` */
  connect?: (owner: string) => CrdtConnection
}

/** @throws TypeError that names the option */
export function withDefaults<T>(options: CrdtOptions<T>) {
  const { collection, url, text = [], token = () => '', limits = {} } = options
  if (typeof collection !== 'string' || collection.trim() === '') throw wrong('collection', 'a text that is not empty')
  if (typeof url !== 'string' || (url === '' && !options.connect)) throw wrong('url', 'a text that is not empty')
  if (!Array.isArray(text) || !text.every((field) => typeof field === 'string')) throw wrong('text', 'a list of fields')
  if (typeof token !== 'function') throw wrong('token', 'a function')
  if (!Object.values(limits).every((limit) => limit > 0)) throw wrong('limits', 'numbers above 0')
  const serverLimits = { maxBytes: 8_388_608, maxStructs: 200_000, ...limits }
  return { ...options, collection, url, text, token, limits: serverLimits }
}

function wrong(option: string, expected: string): TypeError {
  return new TypeError(`crdtStrategy: \`${option}\` must be ${expected}`)
}
