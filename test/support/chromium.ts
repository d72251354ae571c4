import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { chromium, type Browser, type BrowserContext } from 'playwright-core'
import { unpackedChromium } from './unpackedChromium.ts'

export interface Chromium {
  executablePath: string
  args: string[]
  env: Record<string, string>
}

const run = promisify(execFile)

/** Rendering does not need a GPU here, and nothing may leave the machine on its own. */
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  // WebRTC between two pages of a machine that has no network.
  '--allow-loopback-in-peer-connection',
]

let resolved: Promise<Chromium> | undefined

/**
 * The first Chromium that starts: `CHROME_PATH`, one of the system, Playwright's, the one from npm.
 * `CHROMIUM_FROM=npm` (or `system`, `playwright`, `path`) allows only that one.
 */
export function resolveChromium(): Promise<Chromium> {
  resolved ??= find()
  return resolved
}

/** A browser of its own, for tests that drive several tabs from outside, with `more` arguments. Close it. */
export async function launchChromium(...more: string[]): Promise<Browser> {
  const found = await resolveChromium()
  return chromium.launch({ ...found, args: [...found.args, ...more] })
}

/** A browser with a profile on disk: what it stores is there when it is started again. Close it. */
export async function launchProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, await resolveChromium())
}

async function find(): Promise<Chromium> {
  const only = process.env['CHROMIUM_FROM']
  const sources: Record<string, () => Promise<Candidate[]>> = {
    path: async () => asCandidates([process.env['CHROME_PATH']]),
    system: async () => asCandidates(systemPaths()),
    playwright: async () => asCandidates([chromium.executablePath()]),
    npm: async () => [await unpackedChromium(starts)],
  }
  const failures: string[] = []
  for (const [name, candidates] of Object.entries(sources)) {
    if (only && only !== name) continue
    try {
      for (const { executablePath, env } of await candidates()) {
        if (await starts(executablePath, env)) return { executablePath, args, env: environment(env) }
      }
      failures.push(`${name}: none that starts`)
    } catch (error) {
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  throw new Error(`No Chromium found (${failures.join('; ')}). Install Chrome or set CHROME_PATH.`)
}

export interface Candidate {
  executablePath: string
  env: Record<string, string>
}

function asCandidates(paths: (string | undefined)[]): Candidate[] {
  return paths
    .filter((path) => path !== undefined && existsSync(path))
    .map((path) => ({ executablePath: path!, env: {} }))
}

/** Chromium on Windows opens a window for `--version`; there the file has to be enough. */
async function starts(executablePath: string, env: Record<string, string>): Promise<boolean> {
  if (process.platform === 'win32') return true
  return run(executablePath, ['--version', '--no-sandbox'], { env: environment(env), timeout: 30_000 }).then(
    () => true,
    () => false,
  )
}

function environment(extra: Record<string, string>): Record<string, string> {
  const inherited = Object.entries(process.env).filter((pair): pair is [string, string] => pair[1] !== undefined)
  return { ...Object.fromEntries(inherited), ...extra }
}

function systemPaths(): string[] {
  if (process.platform === 'darwin') {
    return ['/Applications', join(homedir(), 'Applications')].flatMap((folder) => [
      join(folder, 'Google Chrome.app/Contents/MacOS/Google Chrome'),
      join(folder, 'Chromium.app/Contents/MacOS/Chromium'),
    ])
  }
  if (process.platform === 'win32') {
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']
      .flatMap((name) => process.env[name] ?? [])
      .map((folder) => join(folder, 'Google/Chrome/Application/chrome.exe'))
  }
  const names = ['google-chrome', 'google-chrome-stable', 'chromium', 'chromium-browser']
  const folders = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/bin', '/usr/local/bin', '/snap/bin')
  return names.flatMap((name) => folders.map((folder) => join(folder, name)))
}
