import { createPinia } from 'pinia'
import { opfsStore } from 'rx-outbox'
import { createApp, nextTick } from 'vue'
import { expect, it, onTestFinished, vi } from 'vitest'
import App from '../readme/App.vue'
import { useNotesStore } from '../readme/notesStore.ts'
import { fakeApi } from '../support/fakeApi.ts'

it('the Vue app of the README delivers, and shows how far it is', async () => {
  const calls = fakeApi(201, { _id: 'b1' })
  const pinia = createPinia()
  const place = document.createElement('div')
  const app = createApp(App).use(pinia)
  app.mount(place)
  onTestFinished(async () => {
    app.unmount()
    vi.unstubAllGlobals()
    const store = opfsStore()
    for (const journal of await store.list('rx-outbox/')) await store.remove('rx-outbox/', journal)
  })

  useNotesStore(pinia).add({ id: 'n1', title: 'Milk' })
  await nextTick()
  expect(place.textContent).toContain('online, 1 unsent')

  await vi.waitFor(() => expect(place.textContent).toContain('Milk (synced)'))
  expect(place.textContent).toContain('online, 0 unsent')
  expect(calls).toMatchObject([{ method: 'POST', path: '/api/notes', body: { id: 'n1', title: 'Milk' } }])
})
