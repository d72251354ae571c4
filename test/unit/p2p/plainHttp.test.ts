import { NEVER, firstValueFrom } from 'rxjs'
import { p2pStrategy } from 'rx-outbox/p2p'
import { expect, onTestFinished, test, vi } from 'vitest'
import { mapStorage } from '../../support/p2p/mapStorage.ts'

test('on a page that is neither https nor localhost it is said that there can be no room, and why', async () => {
  vi.stubGlobal('RTCPeerConnection', EventTarget)
  vi.stubGlobal('crypto', { getRandomValues: crypto.getRandomValues.bind(crypto) })
  onTestFinished(() => void vi.unstubAllGlobals())

  const signalling = { publish: () => undefined, messages: () => NEVER }
  const { trouble$, devices$ } = p2pStrategy({ room: 'notes', password: 'sesame', signalling, storage: mapStorage() })
  const told = firstValueFrom(trouble$)
  const watched = devices$.subscribe()
  onTestFinished(() => watched.unsubscribe())
  expect(await told).toMatchObject({ what: 'transport', message: expect.stringContaining('https') })
})
