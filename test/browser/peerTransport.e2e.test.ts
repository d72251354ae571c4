import { fileURLToPath } from 'node:url'
import type { Browser } from 'playwright-core'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { doorAliases } from '../../scripts/doors.mjs'
import { launchChromium } from '../support/chromium.ts'
import { peerTransportContract } from '../support/p2p/peerTransportContract.ts'
import type { Member } from '../support/p2p/roomMember.ts'
import { staticServer } from '../support/p2p/staticServer.ts'
import { openTab } from '../support/tab.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const outDir = `${root}node_modules/.cache/room`
let browser: Browser
let server: Awaited<ReturnType<typeof staticServer>>

beforeAll(async () => {
  await build({
    configFile: false,
    root: `${root}test/support/p2p/room`,
    logLevel: 'warn',
    resolve: { alias: doorAliases },
    build: { outDir, emptyOutDir: true, target: 'es2022', modulePreload: false },
  })
  server = await staticServer(outDir)
  browser = await launchChromium()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

test.each(peerTransportContract)('over WebRTC $name', async ({ name, check }) => {
  await using context = await browser.newContext({ permissions: ['microphone', 'camera'] })
  await check(async () => {
    const { page } = await openTab(context, `${server.url}/index.html?room=${encodeURIComponent(name)}`)
    return {
      links: () => page.evaluate(() => globalThis.member.links()),
      trouble: () => page.evaluate(() => globalThis.member.trouble()),
      send: (...args) => page.evaluate((given) => globalThis.member.send(...given), args),
      close: (...args) => page.evaluate((given) => globalThis.member.close(...given), args),
      leave: () => page.evaluate(() => globalThis.member.leave()),
    } satisfies Member
  })
  expect(context.pages().length).toBeGreaterThan(1)
})
