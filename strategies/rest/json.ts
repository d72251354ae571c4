import { ClientError } from 'rx-outbox'

/**
 * The JSON of what is to be sent; `undefined` for no body.
 * @throws ClientError for what JSON would lose in silence (a Map becomes `{}`) or cannot hold
 */
export function toJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, refuseLossy)
  } catch (cause) {
    throw new ClientError('What is to be sent has no JSON form; `toBody` can give it one', { cause })
  }
}

function refuseLossy(key: string, value: unknown): unknown {
  if (value instanceof Map || value instanceof Set || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    throw new TypeError(`\`${key}\` is a ${value.constructor.name}`)
  }
  return value
}

/** Parses without `__proto__` keys: whoever merges the result with something touches no prototype. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (key, value: unknown) => (key === '__proto__' ? undefined : value)) as unknown
}

/** A field of its own of a JSON object; nothing inherited. */
export function ownField(holder: unknown, name: string): unknown {
  return isObject(holder) && Object.hasOwn(holder, name) ? holder[name] : undefined
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
