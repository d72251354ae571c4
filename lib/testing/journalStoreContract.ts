import { joined } from '../storage/joined.ts'
import { appendAll, bytesOf, holds, type JournalStoreRule, rule, same, textOf } from './journalStoreTrial.ts'

/**
 * What every `JournalStore` must do, as data, so that any test runner can run it.
 *
 * @example for (const { name, check } of journalStoreContract) test(name, () => check(makeMyStore))
 */
export const journalStoreContract: readonly JournalStoreRule[] = [
  rule('a journal that nobody wrote is empty', async ({ store }) => {
    await holds(store, 'space', 'main', [])
    same(await store.list('space'), [])
  }),
  rule('groups are read in the order in which they were appended', async ({ store }) => {
    await appendAll(store, 'space', 'main', ['one', 'two', 'three'])
    await holds(store, 'space', 'main', ['one', 'two', 'three'])
  }),
  rule('500 small groups keep their order, also after reopening', async ({ store, reopen }) => {
    const groups = Array.from({ length: 500 }, (_, i) => `group ${i} `.repeat(5))
    await appendAll(store, 'space', 'main', groups)
    await holds(store, 'space', 'main', groups)
    await holds(await reopen(), 'space', 'main', groups)
  }),
  rule('nothing of a group is missing, whatever its size: none, one byte, 20,000 bytes', async ({ store, reopen }) => {
    const groups = ['', 'x', 'y'.repeat(20_000), 'z', '', 'x'.repeat(9_000), 'end']
    await appendAll(store, 'space', 'main', groups)
    await holds(store, 'space', 'main', groups)
    await holds(await reopen(), 'space', 'main', groups)
  }),
  rule('a group of 3 MB comes back byte by byte', async ({ store, reopen }) => {
    const group = Uint8Array.from({ length: 3_000_000 }, (_, i) => (i * 31) ^ (i >> 8))
    await store.append('space', 'main', group)
    await appendAll(store, 'space', 'main', ['behind it'])
    const found = joined(await (await reopen()).read('space', 'main'))
    if (found.length !== group.length + 9) throw new Error(`${found.length} of 3,000,009 bytes came back`)
    const wrong = group.findIndex((byte, i) => byte !== found[i])
    if (wrong >= 0) throw new Error(`Byte ${wrong} of 3,000,000 came back changed`)
    same(textOf([found.subarray(group.length)]), 'behind it')
  }),
  rule('a part of a larger buffer is stored without the rest', async ({ store, reopen }) => {
    const around = bytesOf('before|the group|behind')
    await store.append('space', 'main', around.subarray(7, 16))
    await store.replace('space', 'other', around.subarray(7, 16))
    const reopened = await reopen()
    await holds(reopened, 'space', 'main', ['the group'])
    await holds(reopened, 'space', 'other', ['the group'])
  }),
  rule('the bytes given and the bytes read are copies', async ({ store }) => {
    const given = bytesOf('group')
    await store.append('space', 'main', given)
    given.fill(0)
    const [read] = await store.read('space', 'main')
    read?.fill(0)
    await appendAll(store, 'space', 'main', ['next'])
    await holds(store, 'space', 'main', ['group', 'next'])
  }),
  rule('a reopened store continues behind what is there', async ({ store, reopen }) => {
    await appendAll(store, 'space', 'main', ['one', 'two'])
    const second = await reopen()
    await holds(second, 'space', 'main', ['one', 'two'])
    await appendAll(second, 'space', 'main', ['three'])
    await holds(second, 'space', 'main', ['one', 'two', 'three'])
  }),
  rule('a reopened store continues without having read', async ({ store, reopen }) => {
    await appendAll(store, 'space', 'main', ['one', 'two'])
    const second = await reopen()
    await appendAll(second, 'space', 'main', ['three', 'four'])
    await holds(second, 'space', 'main', ['one', 'two', 'three', 'four'])
  }),
  rule('replace puts one group in the place of all, and appending goes on behind it', async ({ store, reopen }) => {
    await appendAll(store, 'space', 'main', ['one', 'two', 'three'])
    await store.replace('space', 'main', bytesOf('all'))
    await holds(store, 'space', 'main', ['all'])
    await appendAll(store, 'space', 'main', ['four'])
    await store.replace('space', 'main', bytesOf('all again'))
    await appendAll(store, 'space', 'main', ['five'])
    await holds(store, 'space', 'main', ['all again', 'five'])
    await holds(await reopen(), 'space', 'main', ['all again', 'five'])
  }),
  rule('replace of a journal that nobody wrote makes it', async ({ store, reopen }) => {
    await store.replace('space', 'main', bytesOf('all'))
    await holds(await reopen(), 'space', 'main', ['all'])
  }),
  rule(
    'whoever reads while it is written sees all that was stored, and a beginning of what is coming',
    async ({ store, beside }) => {
      const other = await beside()
      await appendAll(store, 'space', 'main', ['first'])
      const reads: { stored: string; read: Promise<Uint8Array[]> }[] = []
      let stored = 'first'
      for (let i = 0; i < 40; i++) {
        for (const { read } of [store, other]) reads.push({ stored, read: read('space', 'main') })
        if (i === 20) await store.replace('space', 'main', bytesOf((stored = 'all')))
        await store.append('space', 'main', bytesOf(`, group ${i}`))
        stored += `, group ${i}`
        // So that reads end while the writing goes on.
        if (i % 8 === 7) await reads.at(-1)?.read
      }
      const untilReplaced = Array.from({ length: 20 }, (_, i) => `, group ${i}`).reduce(
        (all, one) => all + one,
        'first',
      )
      for (const { stored: before, read } of reads) {
        const seen = textOf(await read)
        const all = seen.startsWith('first') ? untilReplaced : stored
        same(seen, all.slice(0, seen.length))
        // A read that was begun before the replacement may come to see the journal behind it.
        if (seen[0] === before[0]) same(seen.slice(0, before.length), before)
        else same(before.startsWith('first'), true)
      }
      await holds(store, 'space', 'main', [stored])
      await other.close()
    },
  ),
  rule(
    'another store on the same place sees what is stored, and may go on once the first is closed',
    async ({ store, reopen, beside }) => {
      await appendAll(store, 'space', 'main', ['one', 'two'])
      const other = await beside()
      await holds(other, 'space', 'main', ['one', 'two'])
      same(await other.list('space'), ['main'])
      await appendAll(other, 'space', 'other', ['mine'])
      await store.replace('space', 'main', bytesOf('all'))
      await holds(other, 'space', 'main', ['all'])
      const next = await reopen()
      await appendAll(other, 'space', 'main', ['three'])
      await holds(next, 'space', 'main', ['all', 'three'])
      await other.remove('space', 'main')
      same(await next.list('space'), ['other'])
      await other.close()
    },
  ),
  rule('a store that let go of a space goes on in others, and another one goes on there', async ({ store, beside }) => {
    await appendAll(store, 'space', 'main', ['one'])
    await appendAll(store, 'mine', 'main', ['one'])
    await store.close('space')
    const other = await beside()
    await appendAll(other, 'space', 'main', ['two'])
    await appendAll(store, 'mine', 'main', ['two'])
    await other.close('space')
    await store.read('space', 'main')
    await appendAll(store, 'space', 'main', ['three'])
    await holds(store, 'space', 'main', ['one', 'two', 'three'])
    await holds(store, 'mine', 'main', ['one', 'two'])
    await other.close()
  }),
  rule('a removed journal is empty, and can be written anew', async ({ store, reopen }) => {
    await appendAll(store, 'space', 'main', ['one', 'two', 'y'.repeat(9_000)])
    await store.replace('space', 'main', bytesOf('all'))
    await appendAll(store, 'space', 'main', ['y'.repeat(9_000), 'three'])
    await store.remove('space', 'main')
    await holds(store, 'space', 'main', [])
    same(await store.list('space'), [])
    await appendAll(store, 'space', 'main', ['new'])
    await holds(store, 'space', 'main', ['new'])
    await holds(await reopen(), 'space', 'main', ['new'])
  }),
  rule('removing a journal that nobody wrote is fine', async ({ store }) => {
    await store.remove('space', 'main')
    await holds(store, 'space', 'main', [])
  }),
  rule('list names the journals of one space that hold anything', async ({ store, reopen }) => {
    await appendAll(store, 'space', 'a', ['one', 'two'])
    await store.replace('space', 'b', bytesOf('all'))
    await appendAll(store, 'space', 'c', ['one'])
    await appendAll(store, 'other', 'd', ['one'])
    await store.remove('space', 'c')
    same((await store.list('space')).toSorted(), ['a', 'b'])
    same((await (await reopen()).list('space')).toSorted(), ['a', 'b'])
  }),
  rule('spaces and journals are kept apart, whatever they are called', async ({ store, reopen }) => {
    // Each space with three journals, so that each name meets its neighbours in both places.
    const journalsIn = (i: number) => [0, 1, 2].map((step) => hostileNames[(i + step) % hostileNames.length] ?? '')
    const places = hostileNames.flatMap((space, i) => journalsIn(i).map((journal) => [space, journal] as const))
    for (const [space, journal] of places) await appendAll(store, space, journal, [JSON.stringify([space, journal])])
    const reopened = await reopen()
    for (const [space, journal] of places) await holds(reopened, space, journal, [JSON.stringify([space, journal])])
    for (const [i, space] of hostileNames.entries()) {
      same((await reopened.list(space)).toSorted(), journalsIn(i).toSorted())
    }
    await reopened.remove('a', '')
    await holds(reopened, 'a', '', [])
    await holds(reopened, 'a', 'a', ['["a","a"]'])
    await holds(reopened, '', '/', ['["","/"]'])
  }),
  rule('journals that are written at once do not mix', async ({ store, reopen }) => {
    const names = ['a', 'b', 'c', 'd']
    await Promise.all(names.map((name) => appendAll(store, 'space', name, [`${name}1`, `${name}2`, `${name}3`])))
    await Promise.all([store.replace('space', 'a', bytesOf('all')), store.remove('space', 'b')])
    const reopened = await reopen()
    await holds(reopened, 'space', 'a', ['all'])
    await holds(reopened, 'space', 'b', [])
    await holds(reopened, 'space', 'c', ['c1', 'c2', 'c3'])
  }),
  rule('its members work detached from it', async ({ store }) => {
    const { append, read, list } = store
    await append('space', 'main', bytesOf('one'))
    same(textOf(await read('space', 'main')), 'one')
    same(await list('space'), ['main'])
  }),
]

const hostileNames = [
  'a',
  '',
  '/',
  'a/',
  '/a',
  'A',
  '..',
  '%',
  '%2f',
  '%002f',
  'é',
  'e\u0301',
  '日本',
  '😀',
  '\ud83d',
  '__proto__',
  ' ',
  '\n',
]
