import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { fakeApi } from '../support/fakeApi.ts'
// Tests that the README shows.
import '../readme/cityContract.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** Supplied for an example, and shown nowhere. */
const supplied = ['cityRemote.ts']

/** The code of the README, block by block, with its language. */
function blocks(): { language: string; code: string }[] {
  const text = readFileSync(`${root}/README.md`, 'utf8')
  return Array.from(text.matchAll(/^```(\w*)\n(.*?)^```$/gms), ([, language = '', code = '']) => ({ language, code }))
}

/** A page whose server accepts everything. */
function page() {
  const calls = fakeApi(201, { _id: 'b1', id: 'n1', title: 'Milk' })
  vi.stubGlobal('location', new URL('https://notes.test/'))
  onTestFinished(() => {
    vi.unstubAllGlobals()
    vi.restoreAllMocks()
  })
  return calls
}

test('what the README shows is what is compiled and run here', () => {
  const shown = blocks().filter(({ language }) => language !== 'sh')
  const files = readdirSync(`${root}/test/readme`).filter((name) => !supplied.includes(name))
  expect(new Set(shown.map(({ language }) => language))).toEqual(new Set(['ts', 'vue']))
  expect(shown.map(({ code }) => code).toSorted()).toEqual(
    files.map((name) => readFileSync(`${root}/test/readme/${name}`, 'utf8')).toSorted(),
  )
})

test('the commands that the README names exist', () => {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: Record<string, string> }
  const named = Array.from(readFileSync(`${root}/README.md`, 'utf8').matchAll(/npm (?:run )?(\w+)/g))
  const own = named.map(([, name = '']) => name).filter((name) => !['install', 'ci', 'pack'].includes(name))
  expect(own).toEqual(expect.arrayContaining(['start', 'test']))
  expect(own.filter((name) => !Object.hasOwn(scripts, name))).toEqual([])
})

test('the first steps deliver, and say so', async () => {
  const calls = page()
  const said = vi.spyOn(console, 'log').mockReturnValue()
  await import('../readme/firstSteps.ts')
  expect(calls).toMatchObject([
    { method: 'POST', path: '/api/notes', body: { id: 'n1', title: 'Milk' } },
    { method: 'POST', path: '/api/notes', body: { id: 'n2', title: 'Bread' } },
  ])
  expect(said.mock.calls).toEqual([['n1', 'b1'], ['n2', 'b1'], ['persisted']])
})

test('a strategy of your own is registered, and what is emitted reaches it', async () => {
  const calls = page()
  const { persistence } = await import('../readme/cities.ts')
  await persistence.idle()
  expect(calls).toMatchObject([
    { path: '/api/cities', body: { operation: 'create', id: 'c1', data: { id: 'c1', name: 'Ulm' } } },
  ])
})

test('operators and retries of an entity type are its own', async () => {
  const calls = page()
  const { persistence } = await import('../readme/operators.ts')
  const note = { id: 'n1', title: '' }
  persistence.bus.emit('entity:created', { entityType: 'note', data: note })
  persistence.bus.emit('entity:created', { entityType: 'tag', data: { id: 't1', name: 'shopping' } })
  await vi.waitFor(() => expect(calls.map(({ path }) => path)).toEqual(['/api/tags']))
  const { maxRetries } = (await persistence.metadata('tag', 't1')) ?? {}
  expect(maxRetries).toBe(10)
  expect(await persistence.metadata('note', 'n1')).toBeUndefined()

  const warned = vi.spyOn(console, 'warn').mockReturnValue()
  fakeApi(500)
  persistence.bus.emit('entity:created', { entityType: 'note', data: { ...note, title: 'Milk' } })
  await vi.waitFor(() => expect(warned).toHaveBeenCalledOnce())
  await persistence.close()
})
