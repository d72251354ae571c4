import type { Observable } from 'rxjs'

/**
 * Where devices find each other before they are connected: whatever brings short texts to all that listen to a topic.
 * What goes over it is encrypted with the room's password, apart from who is there.
 */
export interface Signalling {
  /** Never throws; a text that does not arrive is no harm, it is said again. */
  publish: (topic: string, text: string) => void
  /** What others publish, while subscribed. It does not error. */
  messages: (topic: string) => Observable<string>
  /** What went wrong, for `trouble$`. */
  errors$?: Observable<unknown>
}
