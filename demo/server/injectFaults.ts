import { setTimeout as delay } from 'node:timers/promises'
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import { createMiddleware } from 'hono/factory'
import type { DemoEnv } from './demoEnv.ts'
import type { Faults } from './faults.ts'
import { Problem } from './problem.ts'

const portalPage = '<!doctype html><title>Welcome</title><h1>Please accept the terms of this network</h1>'

/** Makes the switched-on faults happen, over real HTTP. `closing` ends the waiting of slow requests. */
export function injectFaults(faults: Faults, closing: AbortSignal) {
  return createMiddleware<DemoEnv>(async (c, next) => {
    const { latencyMs, captivePortal, unauthorized, rateLimited, retryAfterSeconds } = faults.settings
    const { fails, losesAnswer } = faults.draw()

    if (latencyMs > 0) await delay(latencyMs, undefined, { signal: closing }).catch(refuseClosing)
    if (captivePortal) return c.html(portalPage)
    if (unauthorized) throw new Problem(401, 'unauthorized', { headers: { 'WWW-Authenticate': 'Bearer realm="demo"' } })
    if (rateLimited) {
      throw new Problem(429, 'too-many-requests', { headers: { 'Retry-After': String(retryAfterSeconds) } })
    }
    if (fails) throw new Problem(503, 'injected')

    await next()

    if (losesAnswer && c.req.method !== 'GET' && c.res.ok) {
      c.env.outgoing.destroy()
      // Undefined first: Hono would carry the headers of the lost answer over.
      c.res = undefined
      c.res = RESPONSE_ALREADY_SENT
    }
    return undefined
  })
}

function refuseClosing(): never {
  throw new Problem(503, 'closing')
}
