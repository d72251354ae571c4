import { fileURLToPath } from 'node:url'
import { createServer } from 'vite'
import { buildDemoServer } from './demo.mjs'
import { serve } from './start.mjs'

/** `npm run dev`: the app with hot reload; what it asks of /api goes to the server, built once, on its own port. */
export default async function dev() {
  await buildDemoServer()
  const app = await createServer({ configFile: fileURLToPath(new URL('../demo/vite.config.ts', import.meta.url)) })
  await app.listen()
  app.printUrls()
  const code = await serve({ PORT: '4174' })
  await app.close()
  return code
}
