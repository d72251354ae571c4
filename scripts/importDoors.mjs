// After a build: every door opens in plain Node by its published name, and nothing starts by being imported.
import { doors } from './doors.mjs'

for (const door of Object.keys(doors)) {
  /** @type {object} */
  const names = await import(door)
  if (Object.keys(names).length === 0) throw new Error(`${door} exports nothing`)
}
