import { diff3Merge } from 'node-diff3'
import type { FieldConflict } from './mergeObjects.ts'

/** Pieces of a text that are compared one by one: finding out takes up to the square of it. */
const most = 3_000

/**
 * Joins two versions of a text: what either side wrote or removed, word by word; of a long text line by line, of one with
 * very many lines as a whole. Where both changed the same words, both versions stay, the remote's first.
 *
 * @example conflict: { note: mergeFields({ fields: { text: mergeText } }) }
 */
export function mergeText({ base = '', local = '', remote = '' }: FieldConflict<string>): string {
  const texts = [remote, base, local]
  const isFine = (split: (text: string) => string[]) => texts.every((text) => split(text).length <= most)
  const split = [wordsOf, linesOf].find(isFine) ?? wholeOf
  return diff3Merge(split(remote), split(base), split(local))
    .flatMap(({ ok, conflict }) => ok ?? (conflict?.a ?? []).concat(conflict?.b ?? []))
    .join('')
}

/** Each with the white space before it. */
const wordsOf = (text: string): string[] => text.match(/\s*\S+|\s+/gu) ?? []
const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+/gu) ?? []
const wholeOf = (text: string): string[] => [text]
