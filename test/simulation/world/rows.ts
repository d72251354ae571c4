import type { PullPage } from '../../../lib/remote.ts'

export interface Row {
  id: string
  rev: number
  /** Hostile content: it must stay what it is. */
  note?: string
  /** The event of somebody else that was merged into it. */
  merged?: number
}

export interface Held {
  data: Row
  version: number
  backendId: string
}

/** What the backend holds, by owner and entity; and of what it holds no longer that it went, and when. */
export class Rows {
  readonly held = new Map<string, Held>()
  private readonly tombstones = new Map<string, number>()
  private versions = 0

  get(at: string): Held | undefined {
    return this.held.get(at)
  }

  /** `dataOf`: what is written, by the version that it gets. */
  put(at: string, dataOf: (version: number) => Row): Held {
    const version = ++this.versions
    const backendId = this.held.get(at)?.backendId ?? `b${version}`
    const held = { data: dataOf(version), version, backendId }
    this.held.set(at, held)
    this.tombstones.delete(at)
    return held
  }

  remove(at: string): number {
    const version = ++this.versions
    this.held.delete(at)
    this.tombstones.set(at, version)
    return version
  }

  /** The rows of an owner's entity type that were written after a version, as they are now, oldest first. */
  after(owner: string, type: string, since: number, limit: number): PullPage<Row> & { checkpoint: number } {
    const prefix = `${owner}/${type} `
    const news: { id: string; version: number; held?: Held }[] = []
    for (const [at, held] of this.held)
      if (at.startsWith(prefix) && held.version > since)
        news.push({ id: at.slice(prefix.length), version: held.version, held })
    for (const [at, version] of this.tombstones)
      if (at.startsWith(prefix) && version > since) news.push({ id: at.slice(prefix.length), version })
    news.sort((a, b) => a.version - b.version)
    const page = news.slice(0, limit)
    return {
      changed: page.flatMap(({ id, held }) => (held ? { id, ...structuredClone(held) } : [])),
      deleted: page.flatMap(({ id, held }) => (held ? [] : id)),
      checkpoint: page.at(-1)?.version ?? since,
      more: news.length > page.length,
    }
  }
}
