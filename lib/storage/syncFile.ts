/** What is used of a `FileSystemSyncAccessHandle`: its calls return when they are done. Exclusive, and only in workers. */
export interface SyncHandle {
  getSize: () => number
  read: (into: Uint8Array, at: { at: number }) => number
  write: (bytes: Uint8Array, at: { at: number }) => number
  truncate: (size: number) => void
  flush: () => void
  close: () => void
}

export type SyncFile = FileSystemFileHandle & { createSyncAccessHandle: () => Promise<SyncHandle> }

/** `rx-opfs`, and a newline: written last, in front of what is complete. */
export const header = new Uint8Array([114, 120, 45, 111, 112, 102, 115, 10])

/** Whether a file that begins like this was ever completed. A header that is damaged still says yes. */
export const isComplete = (start: Uint8Array): boolean => start.some((byte) => byte !== 0)

export function startOf(handle: SyncHandle): Uint8Array {
  const start = new Uint8Array(header.length)
  handle.read(start, { at: 0 })
  return start
}

/** @throws an error called QuotaExceededError where there was room for a part only */
export function writeAll(handle: SyncHandle, bytes: Uint8Array, at: number): void {
  const written = handle.write(bytes, { at })
  if (written < bytes.length) {
    throw Object.assign(new Error(`Only ${written} of ${bytes.length} bytes were written`), {
      name: 'QuotaExceededError',
    })
  }
}
