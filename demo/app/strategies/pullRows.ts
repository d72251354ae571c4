import type { PullPage, PullRequest } from 'rx-outbox'

/** Until `restStrategy` pulls by itself. */
export async function pullRows<T>(path: string, { checkpoint, limit, signal }: PullRequest): Promise<PullPage<T>> {
  const since = checkpoint === undefined ? '' : `&since=${JSON.stringify(checkpoint).replaceAll('"', '')}`
  const response = await fetch(`${path}?limit=${limit}${since}`, { signal })
  if (!response.ok) throw new Error(`${path} answered ${response.status}`)
  return (await response.json()) as PullPage<T>
}
