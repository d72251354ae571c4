import { defineStore } from 'pinia'
import { usePersistence } from 'rx-outbox/vue'
import type { MyEntityType } from './myEntityType.ts'

export const useMyEntitiesStore = defineStore('brief-my-entities', () => {
  const { bus: eventBus } = usePersistence<{ myEntity: MyEntityType }>()

  function add(myEntity: MyEntityType) {
    eventBus.emit('entity:created', { entityType: 'myEntity', data: myEntity })
  }

  return { add }
})
