/** The app decides, by `resolve`: the task is parked, and its entity waits. */
export function ask(): 'ask' {
  return 'ask'
}
