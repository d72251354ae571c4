import { createPersistence } from 'rx-outbox'
import { CityStrategy } from './cityStrategy.ts'

export const persistence = createPersistence({ strategies: { city: new CityStrategy() } })
persistence.bus.emit('entity:created', { entityType: 'city', data: { id: 'c1', name: 'Ulm' } })
