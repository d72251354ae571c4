import type { Encryption, EncryptionKey } from '../../lib/api.ts'

/** A key for AES-GCM, made anew. */
export async function newKey(id: string): Promise<EncryptionKey> {
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
  return { id, key }
}

/** An app's keys: `current` is the one to write with, and every request is remembered. */
export class KeyBox implements Encryption {
  readonly requests: { owner: string; id?: string }[] = []
  private readonly keys: Map<string, EncryptionKey>
  current: string | undefined

  constructor(...keys: EncryptionKey[]) {
    this.keys = new Map(keys.map((key) => [key.id, key]))
    this.current = keys.at(-1)?.id
  }

  add(key: EncryptionKey): void {
    this.keys.set(key.id, key)
    this.current = key.id
  }

  forget(id: string): void {
    this.keys.delete(id)
    if (this.current === id) this.current = undefined
  }

  key = (request: { owner: string; id?: string }): EncryptionKey | undefined => {
    this.requests.push(request)
    return this.keys.get(request.id ?? this.current ?? '')
  }
}
