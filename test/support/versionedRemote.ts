import { ConflictError, NetworkError, ServerError } from '../../lib/errors.ts'
import type { PullPage, PullRequest } from '../../lib/remote.ts'
import type { AttemptContext, PersistenceStrategy, PersistReceipt } from '../../lib/types.ts'

/** What becomes of one request; `lost`: applied, and the answer lost. */
export type Fate = 'fine' | 'down' | 'broken' | 'lost'

export interface VersionedRow<T> {
  version: number
  /** `undefined`: it was deleted. */
  data: T | undefined
}

/** A remote of one entity type with optimistic locking, that remembers idempotency keys; several devices may share it. */
export class VersionedRemote<T extends object> {
  readonly rows = new Map<string, VersionedRow<T>>()
  /** `update n1 @2 {…}`: every request that was not a repetition, with the version it names. */
  readonly log: string[] = []
  fate: () => Fate = () => 'fine'
  /** Which row was changed, in order: a checkpoint is how many of them somebody has seen. */
  private readonly changes: string[] = []
  private readonly answers = new Map<string, () => PersistReceipt<T>>()

  strategy({ isPulled = false } = {}): PersistenceStrategy<T> {
    return {
      ...(isPulled && { pull: async (request: PullRequest) => this.page(request) }),
      persistCreate: async ({ id, data }, attempt) => this.request('create', id, data, attempt),
      persistUpdate: async ({ id, data }, attempt) => this.request('update', id, data, attempt),
      persistDelete: async (id, _entityType, attempt) => this.request('delete', id, undefined, attempt),
    }
  }

  /** As another device would write it. */
  put(id: string, data: T | undefined): void {
    this.rows.set(id, { version: (this.rows.get(id)?.version ?? 0) + 1, data: structuredClone(data) })
    this.changes.push(id)
  }

  dataOf(id: string): T | undefined {
    return structuredClone(this.rows.get(id)?.data)
  }

  private page({ checkpoint }: PullRequest): PullPage<T> {
    if (this.fate() !== 'fine') throw new NetworkError('down')
    const ids = [...new Set(this.changes.slice(typeof checkpoint === 'number' ? checkpoint : 0))]
    return {
      changed: ids.flatMap((id) => {
        const { version, data } = this.rows.get(id) ?? {}
        return data === undefined
          ? []
          : [{ id, data: structuredClone(data), ...(version !== undefined && { version }) }]
      }),
      deleted: ids.filter((id) => this.rows.get(id)?.data === undefined),
      checkpoint: this.changes.length,
      more: false,
    }
  }

  private request(operation: string, id: string, data: T | undefined, attempt: AttemptContext): PersistReceipt<T> {
    const { version, idempotencyKey: key } = attempt
    const fate = this.fate()
    if (fate === 'down') throw new NetworkError('down')
    if (fate === 'broken') throw new ServerError('broken', { status: 503 })
    let answer = this.answers.get(key)
    if (!answer) {
      this.log.push([operation, id, `@${version ?? '-'}`, data && JSON.stringify(data)].filter(Boolean).join(' '))
      answer = this.apply(operation, id, data, version)
      this.answers.set(key, answer)
    }
    if (fate === 'lost') throw new NetworkError('lost')
    return answer()
  }

  private apply(operation: string, id: string, data: T | undefined, version: string | number | undefined) {
    const row = this.rows.get(id)
    const isThere = row?.data !== undefined
    const isRefused =
      operation === 'create' ? isThere : row !== undefined && version !== undefined && version !== row.version
    if (isRefused || (operation === 'update' && !isThere)) {
      const remote = row?.data === undefined ? null : structuredClone(row.data)
      const seen = row?.version
      return (): never => {
        throw new ConflictError('another version', {
          status: 412,
          remote,
          ...(seen !== undefined && { version: seen }),
        })
      }
    }
    this.put(id, data)
    const written = this.rows.get(id)?.version ?? 0
    return () => ({ version: written })
  }
}
