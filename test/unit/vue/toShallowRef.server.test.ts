import { Observable } from 'rxjs'
import { effectScope } from 'vue'
import { expect, it } from 'vitest'
import { toShallowRef } from '../../../lib/composables/toShallowRef.ts'

it('keeps the initial value on a server and subscribes to nothing', () => {
  let subscribers = 0
  const stream$ = new Observable<string>((subscriber) => {
    subscribers += 1
    subscriber.next('live')
  })

  const value = effectScope().run(() => toShallowRef(stream$, 'initial'))

  expect(value?.value).toBe('initial')
  expect(subscribers).toBe(0)
})

it('says where to call it when there is no scope', () => {
  expect(() => toShallowRef(new Observable<number>(), 0)).toThrow(/Call it in setup\(\)/)
})
