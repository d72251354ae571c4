import { createServer } from 'vite'
import { appConfig, buildDemoServer } from './demo.mjs'
import { serve } from './start.mjs'

/** `npm run dev`: the app with hot reload; what it asks of /api goes to the server, which was built once. */
export default async function dev() {
  await buildDemoServer()
  // The port that the app's proxy expects.
  process.env['PORT'] ??= '5180'
  process.env['DEMO_SERVER'] ??= `http://127.0.0.1:${process.env['PORT']}`
  await serve()
  const app = await createServer({ configFile: appConfig })
  await app.listen()
  app.printUrls()
  process.once('SIGINT', () => void app.close()).once('SIGTERM', () => void app.close())
  return process.exitCode
}
