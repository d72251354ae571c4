import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Candidate } from './chromium.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const bin = join(root, 'node_modules/@sparticuz/chromium')

/**
 * The package reads the temporary folder from the environment, so a process of its own gets another one. It unpacks the
 * libraries that a bare system lacks only where it believes to be in a cloud function; said after the import, that has no
 * other effect.
 */
const unpack = `
  const { default: chromium } = await import('@sparticuz/chromium')
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs20.x'
  await chromium.executablePath()
`

/**
 * The Chromium that comes with npm (Linux on x64), unpacked once per version below node_modules/.cache.
 *
 * @throws when the platform is another one
 */
export async function unpackedChromium(
  starts: (executablePath: string, env: Record<string, string>) => Promise<boolean>,
): Promise<Candidate> {
  if (process.platform !== 'linux' || process.arch !== 'x64') throw new Error('only for Linux on x64')
  const folder = await unpacked()
  const executablePath = join(folder, 'chromium')
  const env: Record<string, string> = { FONTCONFIG_FILE: join(folder, 'fonts.conf') }
  if (await starts(executablePath, env)) return { executablePath, env }
  const libraries = [join(folder, 'al2023/lib'), process.env['LD_LIBRARY_PATH']].filter(Boolean).join(':')
  return { executablePath, env: { ...env, LD_LIBRARY_PATH: libraries } }
}

async function unpacked(): Promise<string> {
  const { version } = JSON.parse(await readFile(join(bin, 'package.json'), 'utf8')) as { version: string }
  const cache = join(root, 'node_modules/.cache/chromium')
  const folder = join(cache, version)
  if (existsSync(folder)) return folder

  await mkdir(cache, { recursive: true })
  const scratch = await mkdtemp(join(cache, 'unpacking-'))
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', unpack], {
    cwd: root,
    env: { ...process.env, TMPDIR: scratch },
  })
  await writeFile(join(scratch, 'fonts.conf'), fontsConf(folder))
  // Renamed when complete: of two runs at once one wins, and nobody meets half a browser.
  await rename(scratch, folder).catch(() => rm(scratch, { recursive: true, force: true }))
  return folder
}

/** Without any font text has no size, and nothing is ever visible. The package's own file names a fixed folder. */
function fontsConf(folder: string): string {
  return `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <dir>${folder}/fonts</dir>
  <cachedir>${folder}/fonts-cache</cachedir>
</fontconfig>
`
}
