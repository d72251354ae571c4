import { createPinia } from 'pinia'
import { opfsStore, type Persistence } from 'rx-outbox'
import { usePersistence } from 'rx-outbox/vue'
import { onTestFinished, vi } from 'vitest'
import { mountedApp } from './mountedApp.ts'

/** An app whose root runs `setup`, and what it opened, with its defaults: the journal is a real file. */
export function appOfItsOwn<T>(setup: () => T): { returned: T; persistence: Persistence<Record<string, unknown>> } {
  const { app, returned } = mountedApp(() => ({ returned: setup(), persistence: usePersistence() }), {
    prepare: (prepared) => prepared.use(createPinia()),
  })
  onTestFinished(async () => {
    await returned.persistence.close()
    app.unmount()
    const store = opfsStore()
    for (const journal of await store.list('rx-outbox/')) await store.remove('rx-outbox/', journal)
  })
  return returned
}

/** Lets time pass until nothing waits for any: from timer to timer, all that can be done at once is done in between. */
export async function untilNothingIsDue({ idle }: Pick<Persistence<object>, 'idle'>): Promise<void> {
  await idle()
  while (vi.getTimerCount() > 0) {
    await vi.advanceTimersToNextTimerAsync()
    await idle()
  }
}
