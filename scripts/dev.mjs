import { createServer } from 'vite'
import { appConfig, buildDemoServer } from './demo.mjs'
import { serve } from './start.mjs'

/** `npm run dev`: the app with hot reload; what it asks of /api goes to the server, which was built once. */
export default async function dev() {
  await buildDemoServer()
  const app = await createServer({ configFile: appConfig })
  await app.listen()
  app.printUrls()
  // The port that the app's proxy expects.
  const code = await serve({ PORT: '5180' })
  await app.close()
  return code
}
