import { createPinia } from 'pinia'
import type { Persistence } from 'rx-outbox'
import { usePersistence } from 'rx-outbox/vue'
import { firstValueFrom } from 'rxjs'
import { onTestFinished, vi } from 'vitest'
import { clearOrigin } from './clearOrigin.ts'
import { mountedApp } from './mountedApp.ts'

/** An app whose root runs `setup`, and what it opened, with its defaults: the journal is a real file. */
export function appOfItsOwn<T>(setup: () => T): { returned: T; persistence: Persistence<Record<string, unknown>> } {
  const { app, returned } = mountedApp(() => ({ returned: setup(), persistence: usePersistence() }), {
    prepare: (prepared) => prepared.use(createPinia()),
  })
  onTestFinished(async () => {
    await returned.persistence.close()
    app.unmount()
    await clearOrigin()
  })
  return returned
}

/** Lets time pass until nothing waits for any: from timer to timer, all that can be done at once is done in between. */
export async function untilNothingIsDue({
  idle,
  status$,
}: Pick<Persistence<object>, 'idle' | 'status$'>): Promise<void> {
  for (;;) {
    await idle()
    const { pending, processing, waiting } = await firstValueFrom(status$)
    if (pending + processing + waiting === 0) return
    await vi.advanceTimersToNextTimerAsync()
  }
}
