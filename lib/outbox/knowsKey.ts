/**
 * Whether a remote still knows the key of a task that was first sent at `firstSentAt`. With a window of 0 it never did,
 * not even within the same millisecond.
 */
export function knowsKey(firstSentAt: number, keyWindow: number, now: number): boolean {
  return keyWindow > 0 && now - firstSentAt <= keyWindow
}
