import { Observable, type Subscriber } from 'rxjs'
import { ConflictError } from '../../lib/errors.ts'
import type { PullPage, PullRequest, RemoteChange } from '../../lib/remote.ts'
import type { AttemptContext, PersistableEntity, PersistenceStrategy, PersistReceipt } from '../../lib/types.ts'
import type { Note } from './remote.ts'

interface Held {
  data: Note | undefined
  version: number
  revision: number
}

/**
 * A server of notes that others write, too: rows with a version, tombstones, pages by revision. What it says can be held
 * up on its way (`pulling`, `answering`), each way once.
 */
export class ModelServer {
  readonly rows = new Map<string, Held>()
  /** Who listens to what happens from now on. */
  readonly listeners = new Set<Subscriber<RemoteChange<Note>>>()
  readonly pulls: PullRequest[] = []
  readonly writes: { id: string; operation: string; version: AttemptContext['version'] }[] = []
  /** Before a page is made, and after it was. */
  pulling: (request: PullRequest) => unknown = () => undefined
  paged: (page: PullPage<Note>) => unknown = () => undefined
  /** Before a write is applied, and after it was. */
  applying: (id: string) => unknown = () => undefined
  answering: (id: string) => unknown = () => undefined
  /** Whether a refusal says of which version the row is that it brings. */
  namesVersion = false
  private revision = 0
  private readonly answers = new Map<string, PersistReceipt<Note>>()
  private readonly isVersioned: boolean

  constructor({ isVersioned = true } = {}) {
    this.isVersioned = isVersioned
  }

  /** Somebody else writes, or deletes. */
  put(id: string, text: string | undefined): number {
    const version = (this.rows.get(id)?.version ?? 0) + 1
    const data = text === undefined ? undefined : { id, text }
    this.rows.set(id, { data, version, revision: ++this.revision })
    return version
  }

  /** Says it to who listens now; it may take its time on its way. */
  say(change: RemoteChange<Note>, way: (arrive: () => void) => void = (arrive) => arrive()): void {
    const listeners = [...this.listeners]
    way(() => {
      for (const listener of listeners) listener.next(change)
    })
  }

  text(id: string): string | undefined {
    return this.rows.get(id)?.data?.text
  }

  strategy({ isLive = false, isPulled = true } = {}): PersistenceStrategy<Note> {
    const stated = (operation: string) => (entity: PersistableEntity<Note>, attempt: AttemptContext) =>
      this.write(operation, entity.id, entity.data.text, attempt)
    return {
      persistCreate: stated('create'),
      persistUpdate: stated('update'),
      persistDelete: (id, _type, attempt) => this.write('delete', id, undefined, attempt),
      ...(isPulled && { pull: (request) => this.page(request) }),
      ...(isLive && { changes$: this.changes$ }),
    }
  }

  private readonly changes$ = new Observable<RemoteChange<Note>>((listener) => {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  })

  private async write(operation: string, id: string, text: string | undefined, attempt: AttemptContext) {
    const { version, idempotencyKey: key } = attempt
    this.writes.push({ id, operation, version })
    await this.applying(id)
    const known = this.answers.get(key)
    if (!known) {
      const held = this.rows.get(id)
      if (this.isVersioned && version !== undefined && held && held.version !== version)
        throw new ConflictError('stale', {
          status: 412,
          remote: held.data ?? null,
          ...(this.namesVersion && { version: held.version }),
        })
      this.put(id, text)
    }
    const receipt = known ?? (this.isVersioned ? { version: this.rows.get(id)?.version ?? 0 } : {})
    this.answers.set(key, receipt)
    await this.answering(id)
    return receipt
  }

  private async page(request: PullRequest): Promise<PullPage<Note>> {
    this.pulls.push(request)
    await this.pulling(request)
    const since = typeof request.checkpoint === 'number' ? request.checkpoint : 0
    const after = [...this.rows].filter(([, { revision }]) => revision > since)
    const sorted = after.toSorted(([, a], [, b]) => a.revision - b.revision)
    const rows = sorted.slice(0, request.limit)
    const page: PullPage<Note> = {
      changed: rows.flatMap(([id, { data, version }]) =>
        data ? [{ id, data, ...(this.isVersioned && { version }) }] : [],
      ),
      deleted: rows.flatMap(([id, { data }]) => (data ? [] : [id])),
      checkpoint: rows.at(-1)?.[1].revision ?? since,
      more: rows.length < sorted.length,
    }
    await this.paged(page)
    return page
  }
}
