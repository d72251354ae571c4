import { describe, expect, it } from 'vitest'
import { defineComponent, effectScope, h, nextTick, ref } from 'vue'
import { useUnsentGuard } from '../../../lib/composables/index.ts'
import { holdPersistence } from '../../../lib/composables/persistenceSlot.ts'
import { fakePersistence } from '../../support/fakePersistence.ts'
import { mountedApp } from '../../support/mountedApp.ts'

/** Whether a page that is left now would ask. */
function asks(page: EventTarget = window): boolean {
  return !page.dispatchEvent(new Event('beforeunload', { cancelable: true }))
}

function guarded<T>(setup: () => T, render?: () => ReturnType<typeof h>) {
  const persistence = fakePersistence()
  const prepare: Parameters<typeof mountedApp>[1] = {
    ...(render && { render }),
    prepare: (app) => {
      holdPersistence(app, () => persistence)
    },
  }
  return { persistence, ...mountedApp(setup, prepare) }
}

describe('useUnsentGuard', () => {
  it.each(['pending', 'processing', 'waiting', 'parked'] as const)('asks while tasks are %s', (count) => {
    const { app, persistence, returned } = guarded(() => useUnsentGuard())
    expect(asks()).toBe(false)

    persistence.say.status({ [count]: 1 })
    expect(returned.unsent.value).toBe(1)
    expect(asks()).toBe(true)

    persistence.say.status({ [count]: 0 })
    expect(asks()).toBe(false)
    app.unmount()
  })

  it('does not ask for dead letters, which have ended', () => {
    const { app, persistence } = guarded(() => useUnsentGuard())
    persistence.say.status({ dead: 1 })
    expect(asks()).toBe(false)
    app.unmount()
  })

  it('ends with its scope, while work is unsent too', () => {
    const { app, persistence } = guarded(() => useUnsentGuard())
    persistence.say.status({ pending: 1 })
    app.unmount()

    expect(asks()).toBe(false)
    expect(persistence.observed()).toEqual([])
  })

  it('leaves another guard of the page armed when it ends', async () => {
    const shown = ref(true)
    const Child = defineComponent(() => {
      useUnsentGuard()
      return () => 'child'
    })
    const { app, persistence } = guarded(
      () => useUnsentGuard(),
      () => (shown.value ? h(Child) : h('i')),
    )
    persistence.say.status({ pending: 1 })
    shown.value = false
    await nextTick()

    expect(asks()).toBe(true)
    app.unmount()
    expect(asks()).toBe(false)
  })

  it('guards the window it is given', () => {
    const { contentWindow } = document.body.appendChild(document.createElement('iframe'))
    if (!contentWindow) throw new Error('The frame has no window')
    const { app, persistence } = guarded(() => useUnsentGuard({ window: contentWindow }))
    persistence.say.status({ pending: 1 })

    expect(asks(contentWindow)).toBe(true)
    expect(asks()).toBe(false)
    app.unmount()
  })

  it('works in an effect scope of its own, as stores have it', () => {
    const scope = effectScope()
    const { app, persistence } = guarded(() => scope.run(() => useUnsentGuard()))
    persistence.say.status({ waiting: 1 })
    expect(asks()).toBe(true)
    scope.stop()
    expect(asks()).toBe(false)
    app.unmount()
  })
})
