import { Subject, type Observable } from 'rxjs'
import type { TabChannel } from '../api.ts'
import { dialect, tabMessage, type TabMessage } from './tabMessage.ts'

/** One tab's end of the channel. */
export interface Wire {
  messages$: Observable<TabMessage>
  send: (message: TabMessage) => void
  close: () => void
}

export function createWire(channel: TabChannel | null, trouble: (error: unknown) => void): Wire {
  const messages$ = new Subject<TabMessage>()
  let isOpen = channel !== null
  if (channel) {
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      const message = tabMessage(data)
      if (message && isOpen) messages$.next(message)
    }
  }
  return {
    messages$,
    send(message) {
      if (!isOpen) return
      try {
        channel?.postMessage({ ...message, dialect })
      } catch (error) {
        // Nobody is told: whoever misses it reads the journal.
        trouble(error)
      }
    },
    close() {
      isOpen = false
      channel?.close()
      messages$.complete()
    },
  }
}
