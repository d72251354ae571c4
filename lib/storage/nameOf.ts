/** What kind of error it is: by name, for an error of the browser may come from another realm, or out of a worker. */
export const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '')
