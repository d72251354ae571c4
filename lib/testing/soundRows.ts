import type { PullPage, RemoteRow } from '../remote.ts'

/** The rows of a page; throws the first that could not be read. */
export function soundRows<T>({ changed }: PullPage<T>): RemoteRow<T>[] {
  return changed.map((row) => {
    if (row instanceof Error) throw row
    return row
  })
}
