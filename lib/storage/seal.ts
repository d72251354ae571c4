import { environment } from '../environment.ts'
import { LockedError } from '../errors.ts'
import { fromBase64, toBase64 } from './base64.ts'
import { encodeLine, isSoundLine, margin, sealMark } from './frame.ts'
import { joined } from './joined.ts'
import { createKeyring, type KeyringConfig } from './keyring.ts'

const newline = 10
const mark = new TextEncoder().encode(`${sealMark} `)

/** Makes bytes such that only a key opens them. `place` is bound in: what was sealed for one opens in no other. */
export interface Seal {
  /**
   * The bytes as one line, like those of a group: `<8 hex of CRC-32> rxe1 <id of the key> <iv> <ciphertext and tag>\n`,
   * the last two in base64.
   *
   * @throws LockedError while the key to write with is not there
   */
  seal: (bytes: Uint8Array, place: string) => Promise<{ bytes: Uint8Array; keyId: string }>
  /**
   * Puts what was sealed in the place of the lines that hold it; all other bytes stay. `isCurrent` says that all of it
   * was sealed with the key that is written with now.
   *
   * @throws LockedError while a key is not there, or does not fit
   */
  unseal: (pieces: readonly Uint8Array[], place: string) => Promise<{ pieces: Uint8Array[]; isCurrent: boolean }>
}

/** What a line says that holds something sealed. */
interface SealedLine {
  keyId: string
  /** Base64, as is the content. */
  iv: string
  content: string
}

export function createSeal({ space, ...config }: KeyringConfig & { space: string }): Seal {
  const keyring = createKeyring(config)

  function parameters(keyId: string, iv: ArrayBuffer, place: string): AesGcmParams {
    const bound = JSON.stringify([sealMark, keyId, space, place])
    return { name: 'AES-GCM', iv, additionalData: new TextEncoder().encode(bound) }
  }

  // Neither error keeps its cause: it may hold what it was about.
  async function close(bytes: Uint8Array, { id, key }: { id: string; key: CryptoKey }, place: string): Promise<string> {
    try {
      const { buffer: iv } = environment.randomBytes(12)
      const content = await environment.encrypt(parameters(id, iv, place), key, new Uint8Array(bytes))
      return [sealMark, id, toBase64(iv), toBase64(content)].join(' ')
    } catch {
      throw new LockedError(`The journal is locked: the key ${id} cannot encrypt with AES-GCM.`)
    }
  }

  async function open({ keyId, iv, content }: SealedLine, key: CryptoKey, place: string): Promise<Uint8Array> {
    try {
      const bytes = new Uint8Array(fromBase64(content))
      return new Uint8Array(await environment.decrypt(parameters(keyId, fromBase64(iv), place), key, bytes))
    } catch {
      // The checksum of the line is right, so the bytes are as they were written.
      throw new LockedError(`The journal is locked: what was sealed with the key ${keyId} does not open with it.`)
    }
  }

  return {
    async seal(bytes, place) {
      const key = await keyring.key()
      return { bytes: encodeLine(await close(bytes, key, place)), keyId: key.id }
    },

    async unseal(pieces, place) {
      const current = await keyring.key()
      const parts = partsOf(joined(pieces))
      const keys = new Map([[current.id, current.key]])
      for (const { sealed } of parts)
        if (sealed && !keys.has(sealed.keyId)) keys.set(sealed.keyId, (await keyring.key(sealed.keyId)).key)
      // All at once: there may be many, and each goes to another thread and back.
      const opened = parts.map(async ({ plain, sealed }) => {
        const key = sealed && keys.get(sealed.keyId)
        return key ? [plain, await open(sealed, key, place)] : [plain]
      })
      const isCurrent = keys.size === 1 && parts.every(({ plain }) => plain.length === 0)
      return { pieces: (await Promise.all(opened)).flat(), isCurrent }
    },
  }
}

/** Cuts bytes behind each line that holds something sealed. Damaged ones are none: whoever decodes the rest finds them. */
function partsOf(bytes: Uint8Array): { plain: Uint8Array; sealed?: SealedLine }[] {
  const parts: { plain: Uint8Array; sealed?: SealedLine }[] = []
  let from = 0
  for (let start = 0, end; start < bytes.length; start = end + 1) {
    const found = bytes.indexOf(newline, start)
    end = found < 0 ? bytes.length : found
    if (!isMarked(bytes, start) || !isSoundLine(bytes, start, end)) continue
    const text = new TextDecoder().decode(bytes.subarray(start + margin, end))
    const [, keyId = '', iv = '', content = ''] = text.split(' ')
    // The empty line before it went with it: what is inside brings its own.
    const plain = bytes.subarray(from, start > from && bytes[start - 1] === newline ? start - 1 : start)
    parts.push({ plain, sealed: { keyId, iv, content } })
    from = end + 1
  }
  if (from < bytes.length) parts.push({ plain: bytes.subarray(from) })
  return parts
}

function isMarked(bytes: Uint8Array, start: number): boolean {
  return mark.every((byte, i) => bytes[start + margin + i] === byte)
}
