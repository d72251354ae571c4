import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = ['.', 'docs', 'demo/app', 'demo/server', 'test/brief'].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(folder, name)),
)

/** Where a page leads inside the repository: links and pictures, without what stands in code. */
function targetsOf(page: string): string[] {
  const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```$/gms, '')
  const targets = Array.from(text.matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target)
  return targets.filter((target) => !/^(https?:|#)/.test(target)).map((target) => target.replace(/#.*/, ''))
}

test('there are pages, and they link', () => {
  expect(pages).toEqual(expect.arrayContaining(['README.md', 'docs/decisions.md', 'docs/glossary.md']))
  expect(targetsOf('README.md').length).toBeGreaterThan(20)
})

test.each(pages)('%s leads nowhere that is not there', (page) => {
  expect(targetsOf(page).filter((target) => !existsSync(join(root, dirname(page), target)))).toEqual([])
})
