import { escaped, unescaped } from './journalKey.ts'

/** Where the files of a journal are: `rx-outbox/s-<space>/j-<journal>-<generation>`. */
export interface OpfsPlace {
  directories: string[]
  journal: string
}

/** The directory of all journals, and the file that is only there to be tried. */
export const [home, trial] = ['rx-outbox', 'try']

export function placeOf(space: string, journal: string): OpfsPlace {
  return { directories: directoriesOf(space), journal: `j-${fileName(journal)}-` }
}

// Some systems take 255 bytes as a name: a longer one goes on in a directory below.
export function directoriesOf(space: string): string[] {
  return [home, ...(fileName(space).match(/^$|.{1,200}/g) ?? []).map((part) => `s-${part}`)]
}

/** The journals that names of files stand for, each with its generations, newest first. */
export function generationsOf(names: Iterable<string>): Map<string, number[]> {
  const journals = new Map<string, number[]>()
  for (const name of names) {
    const [, journal, generation] = /^j-(.*)-(\d+)$/.exec(name) ?? []
    if (journal === undefined) continue
    const known = journals.get(unescaped(journal)) ?? []
    known.push(Number(generation))
    journals.set(unescaped(journal), known)
  }
  for (const generations of journals.values()) generations.sort((a, b) => b - a)
  return journals
}

// Some systems take `A` and `a` for one name.
const fileName = (name: string): string =>
  escaped(name).replace(/[A-Z]/g, (letter) => `%${letter.charCodeAt(0).toString(16).padStart(4, '0')}`)
