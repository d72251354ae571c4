import type { TrialAnswer, TrialRequest } from './trials.ts'
import { checkUpdate } from './applyForeign.ts'
import * as Y from 'yjs'

// A worker is a world of its own: it is ended where a trial takes too long.
self.addEventListener('message', ({ data: { held, update, limits } }: MessageEvent<TrialRequest>) => {
  self.postMessage(tried(held, update, limits))
})
self.postMessage({ is: 'ready' } satisfies TrialAnswer)

function tried(held: Uint8Array, update: Uint8Array, limits: TrialRequest['limits']): TrialAnswer {
  const doc = new Y.Doc()
  try {
    Y.applyUpdate(doc, held)
    return { is: 'fine', state: checkUpdate(doc, update, limits) }
  } catch (error) {
    return { is: 'refused', why: error instanceof Error ? error.message : String(error) }
  }
}
