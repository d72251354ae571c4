import { createEventBus, createPersistence } from 'rx-outbox'
import { restStrategy } from 'rx-outbox/rest'

type Note = { id: string; title: string }
const eventBus = createEventBus<{ note: Note }>()
const { created } = createPersistence({
  strategies: { note: restStrategy<Note>({ url: '/api/notes' }) },
  options: { bus: eventBus },
})
eventBus.on('entity:persisted').subscribe(({ id, metadata }) => console.log(id, metadata.backendId))
eventBus.emit('entity:created', { entityType: 'note', data: { id: 'n1', title: 'Milk' } })

const receipt = created('note', { id: 'n2', title: 'Bread' }) // the same, with a receipt
await receipt.durable // it is stored: a reload does not lose it
console.log((await receipt.settled).status) // how it ended; never rejects
