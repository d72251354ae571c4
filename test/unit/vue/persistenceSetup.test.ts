import { describe, expect, it } from 'vitest'
import type { PersistenceStrategy } from '../../../lib/types.ts'
import { toPersistenceSetup } from '../../../lib/composables/persistenceSetup.ts'

interface Note {
  id: string
}

class NoteStrategy implements PersistenceStrategy<Note> {
  async persistCreate() {}
  async persistUpdate() {}
  async persistDelete() {}
}

describe('what usePersistence takes', () => {
  it('is a setup with strategies and options', () => {
    const setup = { strategies: { note: new NoteStrategy() }, options: { name: 'notes' } }
    expect(toPersistenceSetup<{ note: Note }>(setup)).toBe(setup)
  })

  it('is a bare map of strategies too', () => {
    const note = new NoteStrategy()
    expect(toPersistenceSetup<{ note: Note }>({ note })).toEqual({ strategies: { note } })
  })

  it('is a bare map when an entity type happens to be called strategies', () => {
    const strategies = new NoteStrategy()
    expect(toPersistenceSetup<{ strategies: Note }>({ strategies })).toEqual({ strategies: { strategies } })
  })

  it('is a setup when an entity type is called persistCreate', () => {
    const setup = { strategies: { persistCreate: new NoteStrategy() } }
    expect(toPersistenceSetup<{ persistCreate: Note }>(setup)).toBe(setup)
  })

  it('looks at own members only', () => {
    const inherited = Object.create({ strategies: {} }, { note: { value: new NoteStrategy(), enumerable: true } })
    expect(toPersistenceSetup(inherited)).toEqual({ strategies: inherited })
  })
})
