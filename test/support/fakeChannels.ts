import type { TabChannel } from '../../lib/api.ts'

/** BroadcastChannels within one process: what one posts, all others of its name hear a moment later, as copies. */
export function fakeChannels(): { open: (name: string) => TabChannel; isLossy: boolean } {
  const ends = new Set<{ name: string; channel: TabChannel }>()

  function open(name: string): TabChannel {
    const channel: TabChannel = {
      onmessage: null,
      postMessage(message: unknown) {
        const data: unknown = structuredClone(message)
        if (channels.isLossy) return
        void Promise.resolve().then(() => {
          for (const other of ends) {
            if (other.name !== name || other.channel === channel) continue
            Reflect.apply(other.channel.onmessage ?? (() => undefined), other.channel, [{ data }])
          }
        })
      },
      close: () => void ends.delete(end),
    }
    const end = { name, channel }
    ends.add(end)
    return channel
  }

  const channels = { open, isLossy: false }
  return channels
}
