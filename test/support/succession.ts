import type { BrowserContext } from 'playwright-core'

/** Who led when, as far as the wire shows it. */
export interface Succession {
  /** In whose terms keys were sent that nobody had sent before, one after the other. A term that comes twice is one too many. */
  terms: () => string[]
}

/** Watches all tabs that are opened from now on. */
export async function watchSuccession(context: BrowserContext): Promise<Succession> {
  const sent = new Set<string>()
  const terms: string[] = []
  let tabs = 0
  await context.addInitScript(() => {
    const { locks } = navigator
    const request = locks.request.bind(locks)
    Object.defineProperty(locks, 'request', {
      value: (name: string, options: LockOptions, work: LockGrantedCallback<unknown>) =>
        request(name, options, (lock) => {
          if (lock && name.startsWith('rx-outbox:lead:')) console.debug('leads')
          return work(lock)
        }),
    })
  })
  context.on('page', (page) => {
    const tab = ++tabs
    let term = 0
    page.on('console', (message) => {
      if (message.text() === 'leads') term++
    })
    page.on('request', (request) => {
      const key = request.headers()['idempotency-key']
      if (key === undefined || sent.has(key)) return
      sent.add(key)
      const now = `tab ${tab}, term ${term}`
      if (terms.at(-1) !== now) terms.push(now)
    })
  })
  return { terms: () => terms }
}
