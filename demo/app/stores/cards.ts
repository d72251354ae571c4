import { defineStore } from 'pinia'
import { computed } from 'vue'
import { type Card, columns } from '../entities.ts'
import { newId } from '../newId.ts'
import { eventBus } from '../persistence.ts'
import { syncedEntities } from './syncedEntities.ts'

/** The part of a card that users change, several at once. */
export type CardChange = Partial<Pick<Card, 'column' | 'title' | 'text'>>

/** Holds the cards of the board. Each keystroke is an event: the outbox makes few edits of many. */
export const useCardsStore = defineStore('cards', () => {
  const { entities: cards, all, keep, drop, ...rest } = syncedEntities('card')
  const byColumn = computed(() => {
    const inOrder = all.value.toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    return columns.map((column) => ({ column, cards: inOrder.filter((card) => card.column === column) }))
  })

  function add(title: string): void {
    const card: Card = { id: newId(), column: 'todo', title, text: '', createdAt: Date.now() }
    keep(card)
    eventBus.emit('entity:created', { entityType: 'card', data: card, priority: 10 })
  }

  function change(id: string, to: CardChange): void {
    const before = cards.get(id)
    if (!before) return
    const card = { ...before, ...to }
    keep(card)
    eventBus.emit('entity:updated', { entityType: 'card', data: card, priority: 10 })
  }

  function remove(id: string): void {
    if (!cards.has(id)) return
    drop(id)
    eventBus.emit('entity:deleted', { entityType: 'card', id, priority: 10 })
  }

  return { cards, all, byColumn, add, change, remove, ...rest }
})
