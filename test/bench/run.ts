import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { launchProfile } from '../support/chromium.ts'

export interface BenchOptions {
  /** Queue lengths. */
  lengths: number[]
  rounds: number
  /** Longest queue of the cases over HTTP. */
  httpMost: number
  say: (line: string) => void
}

/** Milliseconds by case, length and contender: one for each round. */
export type Samples = Map<string, Map<number, Map<string, number[]>>>

export const names = ['IndexedDB', 'OPFS append', 'rx-outbox'] as const

interface Bench {
  fill: (name: string, place: string, how: string, count: number) => Promise<number>
  empty: (
    name: string,
    place: string,
    sink: string,
    concurrency: number,
    count: number,
  ) => Promise<{ restart: number; drain: number }>
}

declare global {
  interface Window {
    bench: Bench
  }
}

/** Runs every contender in a real browser with a profile on disk; each flow in an origin of its own. */
export async function runBench(script: string, { lengths, rounds, httpMost, say }: BenchOptions): Promise<Samples> {
  const samples: Samples = new Map()
  const bundle = await readFile(script)
  const server = createServer((request, response) => {
    if (request.method === 'POST') {
      request.resume().on('end', () => response.end('{}'))
    } else if (request.url === '/bench.js') {
      response.setHeader('content-type', 'text/javascript')
      response.end(bundle)
    } else {
      response.setHeader('content-type', 'text/html')
      response.end('<!doctype html><meta charset="utf-8"><script type="module" src="/bench.js"></script>')
    }
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const profile = await mkdtemp(join(tmpdir(), 'rx-outbox-bench-'))
  const context = await launchProfile(profile)
  let origins = 0

  function add(kind: string, count: number, name: string, ms: number): void {
    const byLength = samples.get(kind) ?? new Map<number, Map<string, number[]>>()
    const byName = byLength.get(count) ?? new Map<string, number[]>()
    byName.set(name, [...(byName.get(name) ?? []), ms])
    samples.set(kind, byLength.set(count, byName))
  }

  async function inPage<T>(origin: string, work: (page: Awaited<ReturnType<typeof context.newPage>>) => Promise<T>) {
    const page = await context.newPage()
    await page.goto(origin)
    const result = await work(page)
    await page.close()
    return result
  }

  async function flow(name: string, how: string, sink: string, concurrency: number, count: number) {
    const origin = `http://bench${++origins}.localhost:${port}/`
    const filled = await inPage(origin, (page) =>
      page.evaluate(([n, h, c]) => window.bench.fill(n, 'queue', h, c), [name, how, count] as const),
    )
    const emptied = await inPage(origin, (page) =>
      page.evaluate(([n, s, at, c]) => window.bench.empty(n, 'queue', s, at, c), [
        name,
        sink,
        concurrency,
        count,
      ] as const),
    )
    return { filled, ...emptied }
  }

  try {
    for (const count of lengths) {
      for (let round = 1; round <= rounds; round++) {
        for (const name of names) {
          const burst = await flow(name, 'burst', 'noop', 1, count)
          add('burst', count, name, burst.filled)
          add('restart', count, name, burst.restart)
          add('no-op drain', count, name, burst.drain)
          add('one by one', count, name, (await flow(name, 'one', 'noop', 1, count)).filled)
          const posts = Math.min(count, httpMost)
          add('HTTP, 1 at a time', posts, name, (await flow(name, 'burst', 'http', 1, posts)).drain)
          add('HTTP, 8 at a time', posts, name, (await flow(name, 'burst', 'http', 8, posts)).drain)
          say(`${count} tasks, round ${round}: ${name}`)
        }
      }
    }
  } finally {
    await context.close()
    server.close()
    await rm(profile, { recursive: true, force: true })
  }
  return samples
}
