import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { resolveChromium } from './chromium.ts'

/** A Chromium of one's own, with all its processes in one group. */
export interface BrowserProcess {
  /** Opens another tab. */
  open: (url: string) => void
  /** Ends all its processes at once, as a power cut or an out-of-memory killer would. */
  kill: () => Promise<void>
  /** Where its DevTools can be reached. */
  endpoint: () => Promise<string>
  /** Lets it end by itself. */
  close: () => Promise<void>
  /** Rejects when it ends without having been asked to. */
  died: Promise<never>
}

const quiet = [
  '--headless',
  '--remote-debugging-pipe',
  '--remote-debugging-port=0',
  '--disable-extensions',
  '--disable-component-extensions-with-background-pages',
  '--disable-default-apps',
  '--disable-breakpad',
  '--no-default-browser-check',
  '--password-store=basic',
  '--mute-audio',
  '--in-process-gpu',
  '--disable-software-rasterizer',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  '--disable-renderer-backgrounding',
]

/** Opens a page in the profile of that folder. */
export async function startBrowser(profile: string, url: string): Promise<BrowserProcess> {
  const { executablePath, args, env } = await resolveChromium()
  const child = spawn(executablePath, [...args, ...quiet, `--user-data-dir=${profile}`, url], {
    detached: true,
    env,
    // The last two are the pipe of the DevTools: commands, and answers that nobody wants.
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'],
  })
  const pipe = child.stdio[3] as Writable
  const answers = child.stdio[4] as Readable
  answers.resume()
  const { pid } = child
  if (pid === undefined) throw new Error(`${executablePath} does not start`)
  let isAsked = false
  const ended = new Promise<void>((done) => child.once('exit', () => done()))
  const died = ended.then((): never | Promise<never> => {
    if (isAsked) return new Promise<never>(() => undefined)
    throw new Error('The browser ended by itself.')
  })
  died.catch(() => undefined)
  pipe.on('error', () => undefined)
  let commands = 0
  const endpoint = new Promise<string>((found) => {
    createInterface(child.stderr as Readable).on('line', (line) => {
      const [, address] = /^DevTools listening on (ws:.*)$/.exec(line) ?? []
      if (address) found(address)
    })
  })
  const command = (method: string, params = {}) =>
    void pipe.write(`${JSON.stringify({ id: ++commands, method, params })}\0`)

  async function kill(): Promise<void> {
    isAsked = true
    try {
      process.kill(-Number(pid), 'SIGKILL')
    } catch {
      // It has ended already.
    }
    await ended
  }

  return {
    died,
    endpoint: () => Promise.race([endpoint, died]),
    open: (another) => command('Target.createTarget', { url: another }),
    kill,
    async close() {
      isAsked = true
      command('Browser.close')
      await ended
    },
  }
}
