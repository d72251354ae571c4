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

/** The entity types of the app: they type the bus, the strategies and the composables. */
export interface Entities {
  note: Note
  tag: Tag
}
