const piece = 8_192

/** The bytes of a buffer, or of a view's part of it, as base64. */
export function toBase64(buffer: ArrayBufferLike, byteOffset = 0, byteLength = buffer.byteLength): string {
  let binary = ''
  // In pieces: a call takes only so many arguments.
  for (let i = 0; i < byteLength; i += piece) {
    binary += String.fromCharCode(...new Uint8Array(buffer, byteOffset + i, Math.min(piece, byteLength - i)))
  }
  return btoa(binary)
}

/** @throws DOMException where the text is no base64 */
export function fromBase64(text: string): ArrayBuffer {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes.buffer
}
