import * as z from 'zod/mini'

/** A note as the app knows it. What the server adds (`_id`) is no part of it. */
export const noteSchema = z.object({
  id: z.string(),
  title: z.string(),
  body: z.string(),
  tagIds: z.array(z.string()),
  /** Epoch ms, by this device's clock. */
  createdAt: z.number(),
  updatedAt: z.number(),
})
export type Note = z.infer<typeof noteSchema>

export const tagSchema = z.object({ id: z.string(), name: z.string() })
export type Tag = z.infer<typeof tagSchema>

export const columns = ['todo', 'doing', 'done'] as const

/** A card of the board. Several people may write into its texts at once. */
export const cardSchema = z.object({
  id: z.string(),
  column: z.enum(columns),
  title: z.string(),
  text: z.string(),
  /** Epoch ms, by the clock of the device that made it. */
  createdAt: z.number(),
})
export type Card = z.infer<typeof cardSchema>

/** The entity types of the app: they type the bus, the strategies and the composables. */
export interface Entities {
  note: Note
  tag: Tag
  card: Card
}
