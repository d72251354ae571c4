import type { NoteText } from './stores/notes.ts'

const titles = [
  'Ask the printer about paper weights',
  'Bread: less water, longer rest',
  'Call the plumber before noon',
  'Draft the invitation',
  'Film for the old camera',
  'Ferry times for the long weekend',
  'Measure the shelf again',
  'Names for the boat',
  'Questions for the landlord',
  'Return the library books',
  'Seeds to order in January',
  'Thank Ines for the soup',
  'Train to Ghent, window seat',
  'What the mechanic said',
  'Words I keep misspelling',
]
const bodies = [
  'Not urgent, but it comes back to me every morning.',
  'Half an hour should do. Bring the list.',
  'Compare with what we wrote last year before deciding.',
  'Two options are left; the cheaper one needs a van.',
  'See the photo from Sunday. The blue one.',
]

/** Notes to fill the queue with: the `n`th of a run. */
export function sampleNote(n: number, tagIds: string[]): NoteText {
  const tagId = tagIds[n % (tagIds.length + 1)]
  return {
    title: titles[n % titles.length] ?? '',
    body: bodies[(n * 3) % bodies.length] ?? '',
    tagIds: tagId === undefined ? [] : [tagId],
  }
}
