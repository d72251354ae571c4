import { createSSRApp, defineComponent, h, nextTick } from 'vue'
import { expect, it, vi } from 'vitest'
import type { Persistence } from '../../../lib/api.ts'
import { useOutbox, usePersistence, useSyncStatus } from '../../../lib/composables/index.ts'
import { memoryStore } from '../../../lib/index.ts'
import { RememberingStrategy, type Note } from '../../support/noteStrategy.ts'

it('takes over what a server rendered, and goes on from there', async () => {
  const warnings = vi.spyOn(console, 'warn')
  const errors = vi.spyOn(console, 'error')
  const opened: Persistence<{ note: Note }>[] = []
  const Badge = defineComponent(() => {
    const { status, unsent } = useOutbox()
    const { syncStatus } = useSyncStatus('note', 'n1')
    return () => h('p', `${status.value.phase}, ${unsent.value} unsent, ${syncStatus.value ?? 'unknown'}`)
  })
  const Root = defineComponent(() => {
    const strategies = { note: new RememberingStrategy<Note>() }
    opened.push(usePersistence({ strategies, options: { name: 'hydrated', storage: memoryStore() } }))
    return () => h(Badge)
  })
  const place = document.createElement('div')
  place.innerHTML = '<p>opening, 0 unsent, unknown</p>'
  const rendered = place.firstChild
  const app = createSSRApp(Root)
  app.mount(place)

  expect(warnings).not.toHaveBeenCalled()
  expect(errors).not.toHaveBeenCalled()
  expect(place.firstChild).toBe(rendered)
  const [persistence] = opened
  await persistence?.created('note', { id: 'n1', text: 'first' }).settled
  await nextTick()
  await vi.waitFor(() => expect(place.textContent).toBe('running, 0 unsent, synced'))
  app.unmount()
})
