import { expect, test } from 'vitest'
import { createServer } from '../../../demo/server/server.ts'

const app = createServer({
  database: { kind: 'pglite', database: undefined, progress: { step: '', done: 0, elapsedMs: 0 } },
  staticDir: 'nowhere',
  allowOrigin: 'http://127.0.0.1:9',
  closing: new AbortController().signal,
})

function from(origin: string): Promise<Response> {
  return Promise.resolve(app.request('/api/notes', { headers: { Origin: origin, 'Sec-Fetch-Site': 'cross-site' } }))
}

test('a page of another site is refused', async () => {
  expect((await from('http://elsewhere.example')).status).toBe(403)
})

test('a page of the origin that is allowed can read the answers, refusals too', async () => {
  const answer = await from('http://127.0.0.1:9')
  expect(answer.status).toBe(503)
  expect(answer.headers.get('Access-Control-Allow-Origin')).toBe('http://127.0.0.1:9')
  expect(answer.headers.get('Access-Control-Expose-Headers')).toContain('ETag')
})
