import { fromBase64, toBase64 } from '../crdt/base64.ts'
import { wellFormed } from '../crdt/plainValue.ts'

/** What this version speaks. A peer that speaks a newer one is not listened to. */
export const protocolVersion = 1

/** What peers say to each other. */
export type Message =
  /**
   * The first one: who I am and what I have; in several parts where it is much. Answered by what is missing, and, where
   * `ask` is set, by the same of the other side: its first one got lost.
   */
  | {
      is: 'have'
      version: number
      device: string
      documents: [id: string, state: string][]
      last: boolean
      ask: boolean
    }
  /** Numbered from 1 in each link and direction. Answered by `ack` or `refused`. */
  | { is: 'update'; seq: number; id: string; update: Uint8Array }
  /** The update is applied and stored. */
  | { is: 'ack'; seq: number }
  | { is: 'refused'; seq: number; why: string }

const maxIdLength = 512
const maxWhyLength = 256

export function encodeMessage(message: Message): Uint8Array {
  const json = JSON.stringify(message, (_, value: unknown) => (value instanceof Uint8Array ? toBase64(value) : value))
  return new TextEncoder().encode(json)
}

/** @throws an error that says what is wrong with it */
export function decodeMessage(bytes: Uint8Array): Message {
  const { is, version, device, documents, last, ask, seq, id, update, why } = fieldsOf(
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
  )
  switch (is) {
    case 'have':
      return {
        is,
        version: natural(version, 'version'),
        device: name(device, 'device'),
        documents: list(documents).map((entry) => {
          const [key, state] = list(entry)
          return [name(key, 'id'), text(state, 'state')]
        }),
        last: last === true,
        ask: ask === true,
      }
    case 'update':
      return { is, seq: natural(seq, 'seq'), id: name(id, 'id'), update: bytesOf(update, 'update') }
    case 'ack':
      return { is, seq: natural(seq, 'seq') }
    case 'refused':
      return { is, seq: natural(seq, 'seq'), why: typeof why === 'string' ? why.slice(0, maxWhyLength) : '' }
    default:
      throw new TypeError('it is of no known kind')
  }
}

function fieldsOf(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null) throw new TypeError('it is no object')
  return { ...value }
}

function natural(value: unknown, field: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 1) throw wrong(field)
  return value
}

function name(value: unknown, field: string): string {
  if (typeof value !== 'string' || value === '' || value.length > maxIdLength || wellFormed(value) !== value)
    throw wrong(field)
  return value
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw wrong('documents')
  return value
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string') throw wrong(field)
  return value
}

function bytesOf(value: unknown, field: string): Uint8Array {
  return fromBase64(text(value, field))
}

function wrong(field: string): TypeError {
  return new TypeError(`its ${field} is wrong`)
}
