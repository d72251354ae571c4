import { readFileSync } from 'node:fs'
import { beforeAll, expect, test } from 'vitest'
import ts from 'typescript'
import { doors } from '../../scripts/doors.mjs'
import { publicApi } from '../support/publicApi.ts'

/** Exported as files, not as modules to import from. */
const files = ['./package.json', './opfsWorker.js', './opfsWorkerSource.js']
let api = ''

beforeAll(() => {
  api = publicApi()
}, 60_000)

function readRoot(name: string): string {
  return readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')
}

test('what the doors export is what was reviewed (after a review: npx vitest run --project unit publicApi -u)', async () => {
  await expect(api).toMatchFileSnapshot('./publicApi.txt')
})

test('every export is known to the compiler', () => {
  expect(api).not.toMatch(/\bunknown \w+$|: any$/m)
})

test('the doors are the same for Node, for the compiler and for Vite', () => {
  const manifest = JSON.parse(readRoot('package.json')) as { exports: Record<string, unknown> }
  const exported = Object.keys(manifest.exports).filter((name) => !files.includes(name))
  expect(exported.map((name) => name.replace('.', 'rx-outbox'))).toEqual(Object.keys(doors))

  const { config } = ts.parseConfigFileTextToJson('tsconfig.json', readRoot('tsconfig.json')) as {
    config: { compilerOptions: { paths: Record<string, string[]> } }
  }
  const paths = Object.entries(config.compilerOptions.paths).map(([door, [file]]) => [door, file?.replace('./', '')])
  expect(Object.fromEntries(paths)).toEqual(doors)
})
