import type { TestProject } from 'vitest/node'
import { startDemoServer } from '../../demo/server/startDemoServer.ts'

declare module 'vitest' {
  interface ProvidedContext {
    demoServer: string
  }
}

/** One server of the demo for all tests that drive a browser: its database takes seconds to start. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, close } = await startDemoServer({ port: 0, dataDir: 'memory://' })
  project.provide('demoServer', url)
  return close
}
