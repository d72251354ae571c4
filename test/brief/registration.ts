import { usePersistence } from 'rx-outbox/vue'
import { MyEntityRestApiStrategy } from './myEntityRestApiStrategy.ts'

/** Stands in App.vue. */
export function registration() {
  usePersistence({
    myEntity: new MyEntityRestApiStrategy(),
  })
}
