import { type Note, show } from './app.ts'
import { createPersistence } from 'rx-outbox'
import { p2pStrategy, webSocketSignalling } from 'rx-outbox/p2p'

const note = p2pStrategy<Note>({
  room: 'family/notes', // one room for one entity type
  password: 'a long one that you gave the others',
  signalling: webSocketSignalling('/signal'),
  text: ['body'], // merged letter by letter
})
const persistence = createPersistence({ strategies: { note } })
note.trouble$.subscribe(({ what, message }) => show(what, message))
note.devices$.subscribe((count) => show(`${count} other devices`))

import { filter, map } from 'rxjs'

const isSomebodyThere$ = note.devices$.pipe(map((count) => count > 0))
// where all types are peer to peer:
createPersistence({ strategies: { note }, options: { online$: isSomebodyThere$ } })
// where they are not:
isSomebodyThere$.pipe(filter(Boolean)).subscribe(() => void persistence.flush())
