import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const root = new URL('../../', import.meta.url)
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8')
/** Supplied for the examples, and shown nowhere. */
const supplied = ['app.ts', 'cityServer.ts', 'notesDb.ts']

const files = readdirSync(new URL('test/docs', root))
  .filter((name) => !supplied.includes(name))
  .map((name) => ({ name, code: textOf(`test/docs/${name}`) }))
const shown = readdirSync(new URL('docs', root))
  .filter((name) => name.endsWith('.md'))
  .flatMap((page) =>
    Array.from(textOf(`docs/${page}`).matchAll(/^```ts\n(.*?)^```$/gms), ([, code = '']) => ({ page, code })),
  )

test('what the guides show is compiled, with what the reader has beside it', () => {
  const compiled = ({ code }: { code: string }) => files.some((file) => file.code.includes(code))
  expect(shown.length).toBeGreaterThan(5)
  expect(shown.filter((block) => !compiled(block))).toEqual([])
})

test('what is compiled for the guides is shown', () => {
  const isShown = (file: { code: string }) => shown.some(({ code }) => file.code.includes(code))
  expect(files.filter((file) => !isShown(file)).map(({ name }) => name)).toEqual([])
})
