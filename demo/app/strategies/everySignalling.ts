import { merge } from 'rxjs'
import type { Signalling } from 'rx-outbox/p2p'

/** Several ways to find each other at once; what comes on two of them is said twice, which does no harm. */
export function everySignalling(...ways: Signalling[]): Signalling {
  return {
    publish(topic, text) {
      for (const way of ways) way.publish(topic, text)
    },
    messages: (topic) => merge(...ways.map((way) => way.messages(topic))),
  }
}
