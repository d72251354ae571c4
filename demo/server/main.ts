import { type DemoServer, type DemoServerOptions, startDemoServer } from './startDemoServer.ts'
import type { Progress } from './startup.ts'

const usualPort = 5173
const { PORT, HOST, DATABASE_URL, DATA_DIR, STATIC_DIR, CRDT_TOKEN, REDIS_URL } = process.env

const options: Omit<DemoServerOptions, 'port'> = {
  host: HOST || undefined,
  databaseUrl: DATABASE_URL || undefined,
  dataDir: DATA_DIR || undefined,
  staticDir: STATIC_DIR || undefined,
  crdtToken: CRDT_TOKEN || undefined,
  redisUrl: REDIS_URL || undefined,
  onListening: (url) => console.log(`rx-outbox demo: ${url}`),
  onProgress: show,
}

try {
  endWith(await start())
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function start(): Promise<DemoServer> {
  // A port that somebody asked for is taken or nothing; the usual one is only a habit.
  if (PORT) return startDemoServer({ ...options, port: Number(PORT) })
  try {
    return await startDemoServer({ ...options, port: usualPort })
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) throw error
    return startDemoServer({ ...options, port: 0 })
  }
}

function endWith(server: DemoServer): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    // The second one ends it at once.
    process.once(signal, () => void server.close())
  }
}

/** One line that counts on; where there is no terminal, one line a second. */
function show({ step, elapsedMs }: Progress): void {
  const line = `  ${step}, ${(elapsedMs / 1000).toFixed(1)} s`
  const end = step === 'ready' ? '\n' : ''
  process.stdout.write(process.stdout.isTTY ? `\r\u001b[K${line}${end}` : `${line}\n`)
}
