import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { doorAliases } from '../../scripts/doors.mjs'
import { type BrowserProcess, startBrowser } from '../support/browserProcess.ts'
import { type KillServer, startKillServer, type Told } from './killServer.ts'
import { type Verdict, verdictOf } from './verdict.ts'

export interface KillOptions {
  /** The dose. */
  kills: number
  /** The number of the first one: what goes on when it comes follows from it. @default 0 */
  from?: number
  /** Where the journals are. @default 'best': what the library chooses */
  store?: 'best' | 'localforage'
  /** Decides when each kill comes; the machine has its part in it, too. */
  seed?: number
  /** Is told how far it is. */
  say?: (line: string) => void
}

export interface KillReport extends Verdict {
  kills: number
  /** Kills by what went on, and where the journal was. */
  kinds: Record<string, number>
  /** Revisions that were known outside the browser to be durable. */
  acknowledged: number
  requests: number
  applied: number
  /** What the outbox told on `errors$`, and errors that nobody caught. */
  trouble: string[]
  seconds: number
}

/** What goes on when the kill comes. An odd number of them, so that each comes in both durabilities. */
const moments = ['writing', 'two tabs', 'compacting', 'writing', 'opening', 'writing', 'two tabs'] as const
type Moment = (typeof moments)[number]

const root = fileURLToPath(new URL('../..', import.meta.url))
const app = join(root, 'node_modules/.cache/kill-page')
/** After so many kills a new profile begins, so that opening stays cheap. */
const killsOfAProfile = 50
/** Milliseconds after which a page that says nothing is stuck. */
const patience = 90_000

/**
 * Kills Chromium while a page writes, again and again. Each time the same profile is opened twice: once without a network,
 * closed in order, then once more to write, to drain and to be the next victim. In the end the history of the remote is judged.
 */
export async function runKills({ kills, from = 0, store = 'best', seed = 1, say }: KillOptions): Promise<KillReport> {
  await (built ??= buildPage())
  const began = performance.now()
  const random = randomFrom(seed)
  const server = await startKillServer(app, random)
  const report: KillReport = {
    kills: 0,
    kinds: {},
    acknowledged: 0,
    requests: 0,
    applied: 0,
    seconds: 0,
    trouble: server.trouble,
    lost: [],
    twice: [],
    outOfOrder: [],
  }
  let runs = 0
  try {
    while (report.kills < kills) {
      const profile = await mkdtemp(join(tmpdir(), 'rx-outbox-kills-'))
      try {
        await killInProfile(profile, Math.min(kills - report.kills, killsOfAProfile))
      } finally {
        await rm(profile, { recursive: true, force: true, maxRetries: 5 })
      }
    }
  } finally {
    await server.close()
  }
  const { history } = server
  report.acknowledged = history.acknowledgements
  report.requests = history.requests
  report.applied = history.applied.length
  report.seconds = Math.round((performance.now() - began) / 1000)
  return { ...report, ...verdictOf(history), lost: report.lost }

  async function killInProfile(profile: string, times: number): Promise<void> {
    for (let n = 0; n < times; n++) {
      const number = from + report.kills
      const isStrict = number % 2 === 1
      const moment = moments[number % moments.length] ?? 'writing'
      const { page, writer, where } = await drained(profile, moment, isStrict)
      if (moment === 'opening') {
        await page.close()
        await killOpening(profile, isStrict)
      } else await killWriting(page, moment, writer)
      report.kills++
      const kind = `${moment}: ${where}`
      report.kinds[kind] = (report.kinds[kind] ?? 0) + 1
      await opened(profile, isStrict)
      say?.(`${report.kills} of ${kills} kills (${kind})`)
    }
    await (await drained(profile, 'writing', false)).page.close()
  }

  async function killWriting(page: BrowserProcess, moment: Moment, writer: string): Promise<void> {
    if (moment === 'compacting') await said(server, page, 'compacting')
    else {
      await acknowledged(server, page, writer, Math.ceil(random() * 100))
      await delay(random() * 20)
    }
    await page.kill()
  }

  async function killOpening(profile: string, isStrict: boolean): Promise<void> {
    const page = await startBrowser(profile, url({ do: 'open' }, isStrict))
    await said(server, page, 'opening')
    await delay(random() * 100)
    await page.kill()
  }

  /** The second time: it writes, drains, and goes on writing. */
  async function drained(profile: string, moment: Moment, isStrict: boolean) {
    // Revisions rise for ever; each tab has entities of its own.
    let writer = `r${++runs}`
    const writes = { run: writer, first: String(runs * 1e6), do: moment === 'compacting' ? 'compact' : 'write' }
    const page = await startBrowser(profile, url(writes, isStrict))
    const told = await said(server, page, 'drained')
    for (const what of verdictOf(server.history).lost) {
      report.lost.push(what)
      // Said once.
      server.history.acknowledged.delete(what.split(' ')[0] ?? '')
    }
    if (moment === 'two tabs') {
      writer = `${writer}-beside`
      page.open(url({ ...writes, run: writer, beside: '' }, isStrict))
    }
    return { page, writer, where: told.is === 'drained' ? told.where : '' }
  }

  /** The first time after the kill: all of it stays where it is. */
  async function opened(profile: string, isStrict: boolean): Promise<void> {
    const page = await startBrowser(profile, url({ do: 'open' }, isStrict))
    await said(server, page, 'closed')
    await page.close()
  }

  function url(wanted: Record<string, string>, isStrict: boolean): string {
    const query = new URLSearchParams({ ...wanted, store, ...(isStrict && { strict: '' }) })
    return `${server.url}?${query.toString()}`
  }
}

/** Resolves when so many revisions of a tab are known outside the browser. */
async function acknowledged(server: KillServer, page: BrowserProcess, writer: string, count: number): Promise<void> {
  let known = 0
  await inTime(server, page, `${count} acknowledgements`, (told) => {
    if (told.is === 'acknowledged') known += told.revisions.filter(([id]) => id.startsWith(`${writer}-`)).length
    return known >= count
  })
}

function said(server: KillServer, page: BrowserProcess, is: Told['is']): Promise<Told> {
  return inTime(server, page, `"${is}"`, (told) => told.is === is)
}

async function inTime(server: KillServer, page: BrowserProcess, what: string, test: (told: Told) => boolean) {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const say = () => reject(new Error(`No ${what} for ${patience} ms. ${server.trouble.join('; ')}`))
    timer = setTimeout(say, patience)
  })
  try {
    return await Promise.race([server.next(test), page.died, late])
  } catch (error) {
    await page.kill()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

let built: Promise<void> | undefined

async function buildPage(): Promise<void> {
  await build({
    configFile: false,
    root: join(root, 'test/kills/page'),
    logLevel: 'warn',
    resolve: { alias: doorAliases },
    build: { outDir: app, emptyOutDir: true, target: 'es2022', modulePreload: false },
  })
}
