/** A bug that is planted: `find` in a file of the library becomes `put`. The simulation has to find it. */
export interface Mutant {
  name: string
  file: string
  find: string
  put: string
}

/** Failures that outboxes show in the field, each as a change of a few words. */
export const mutants: readonly Mutant[] = [
  {
    name: 'acknowledged before it is stored',
    file: 'lib/storage/journal.ts',
    find: 'writes.push({ records, kind, done, failed })',
    put: "writes.push({ records, kind, done, failed }); if (kind === 'enqueue') done()",
  },
  {
    name: 'acknowledged although it could not be stored',
    file: 'lib/storage/journal.ts',
    find: "for (const { kind, failed } of group) if (kind === 'enqueue') failed?.(error)",
    put: "for (const { kind, done } of group) if (kind === 'enqueue') done?.()",
  },
  {
    name: 'what could not be written is forgotten',
    file: 'lib/storage/journal.ts',
    find: "writes = [...group.filter(({ kind }) => isLocked || kind === 'state'), ...writes]",
    put: '',
  },
  {
    name: 'closing writes nothing',
    file: 'lib/storage/journal.ts',
    find: 'isPausing = false\n      await flush()',
    put: 'isPausing = false',
  },
  {
    name: 'a read error is an empty queue',
    file: 'lib/storage/readJournal.ts',
    find: 'await store.read(space, journal)',
    put: 'await store.read(space, journal).catch(() => [])',
  },
  {
    name: 'removed before it is sent',
    file: 'lib/outbox/outbox.ts',
    find: 'schedule.delete(entry.lane)\n      state.become',
    put: "schedule.delete(entry.lane)\n      journal.note({ ...stamp(), kind: 'ended', task: entry.lsn, outcome: 'persisted', at: now() })\n      state.become",
  },
  {
    name: 'ordered by the clock',
    file: 'lib/outbox/lane.ts',
    find: '(queue[at - 1]?.place ?? 0) > entry.place',
    put: '(queue[at - 1]?.createdAt ?? 0) > entry.createdAt',
  },
  {
    name: 'merged into a task that may have been sent',
    file: 'lib/outbox/merge.ts',
    find: 'return older.mark ? isInConflict(older, merges) : !older.inDoubt',
    put: 'return true',
  },
  {
    name: 'a create and a delete cancel out where an earlier create is to come',
    file: 'lib/outbox/merge.ts',
    find: "if (before) return before.operation !== 'delete'",
    put: "if (before?.operation === 'delete') return false",
  },
  {
    name: 'who depends on another does not wait',
    file: 'lib/outbox/relations.ts',
    find: 'return on.queue.some(before) || (on.dead?.some((dead)',
    put: 'return before === undefined || (on.dead?.some((dead)',
  },
  {
    name: 'two of an entity in flight',
    file: 'lib/outbox/standing.ts',
    find: "if (head?.state !== 'waiting' ||",
    put: "if (head === undefined || head.state === 'parked' ||",
  },
  {
    name: 'what is in flight may be discarded',
    file: 'lib/outbox/commands.ts',
    find: "if (entry.state === 'sending')",
    put: "if (entry.state === 'ended')",
  },
  {
    name: 'dead letters that expired are dropped',
    file: 'lib/outbox/state.ts',
    find: 'if (died) {',
    put: "if (died && died !== 'expired') {",
  },
  {
    name: 'sent before the mark is stored',
    file: 'lib/delivery/delivery.ts',
    find: 'if (!head.mark?.durable) {',
    put: 'if (!head.mark) {',
  },
  {
    name: 'sent after it has expired',
    file: 'lib/delivery/delivery.ts',
    find: 'if (head.expiresAt !== undefined && head.expiresAt <= scheduler.now()) {',
    put: 'if (head.expiresAt !== undefined && head.expiresAt < 0) {',
  },
  {
    name: 'a new key for each attempt',
    file: 'lib/delivery/attempt.ts',
    find: 'idempotencyKey: entry.key',
    put: 'idempotencyKey: `${entry.key}-${entry.retryCount}`',
  },
  {
    name: 'resent although the server has forgotten the key',
    file: 'lib/delivery/delivery.ts',
    find: 'return inDoubt && mark !== undefined && !knowsKey(',
    put: 'return false && inDoubt && mark !== undefined && !knowsKey(',
  },
  {
    name: 'given up because of what the message says',
    file: 'lib/delivery/delivery.ts',
    find: 'const permanent = isPermanentError(thrown)',
    put: 'const permanent = isPermanentError(thrown) || /40[01]/.test(String(thrown))',
  },
  {
    name: 'dropped on 401',
    file: 'lib/delivery/delivery.ts',
    find: "if (error.category === 'auth' && !permanent) {",
    put: "if (error.category === 'auth' && !permanent) {\n      outbox.end(entry, { status: 'failed', error })\n      return",
  },
  {
    name: 'a key that is outstanding is done',
    file: 'lib/delivery/delivery.ts',
    find: 'const permanent = isPermanentError(thrown)',
    put: 'if (error.status === 409) return outbox.persisted(entry, {}, true)\n    const permanent = isPermanentError(thrown)',
  },
  {
    name: 'one retry more than there should be',
    file: 'lib/delivery/delivery.ts',
    find: 'entry.retryCount >= retryConfig.maxRetries',
    put: 'entry.retryCount > retryConfig.maxRetries',
  },
  {
    name: 'retried at once',
    file: 'lib/delivery/delivery.ts',
    find: '(asked ?? Math.max(1, delay))',
    put: '(asked ?? 1)',
  },
  {
    name: 'Retry-After is ignored',
    file: 'lib/delivery/retryAfterOf.ts',
    find: 'return asked !== undefined && asked >= 0 ? Math.min(asked, longest) : undefined',
    put: 'return asked === longest ? asked : undefined',
  },
  {
    name: 'a clock that is set back holds retries up',
    file: 'lib/delivery/delivery.ts',
    find: 'if (isSetBack()) outbox.refreshAll()',
    put: '',
  },
  {
    name: 'the number of retries is lost at a restart',
    file: 'lib/lead.ts',
    find: "for (const record of records) replay(record, outbox, say, 'fold')",
    put: "for (const record of records) if (record.kind !== 'retry') replay(record, outbox, say, 'fold')",
  },
  {
    name: 'sent offline',
    file: 'lib/session.ts',
    find: '!gates.paused && config.isOnline() &&',
    put: '!gates.paused &&',
  },
  {
    name: 'pause is forgotten',
    file: 'lib/session.ts',
    find: 'isLeading && !gates.paused && config',
    put: 'isLeading && config',
  },
  {
    name: 'a closing tab begins to deliver',
    file: 'lib/session.ts',
    find: 'if (!leaving) delivering',
    put: 'delivering',
  },
  {
    name: 'a follower that could not read goes on listening',
    file: 'lib/follow.ts',
    find: 'await close()\n    throw error',
    put: 'throw error',
  },
  {
    name: 'an entity type goes on after 401',
    file: 'lib/courier.ts',
    find: '!gates.unauthorized.has(entityType)',
    put: '!gates.unauthorized.has(entityType) || entityType.length > 0',
  },
  {
    name: 'one owner is sent as another',
    file: 'lib/space.ts',
    find: '}/${owner}`',
    put: '}/${owner.slice(0, 0)}`',
  },
  {
    name: 'what a follower takes in is not stored',
    file: 'lib/intake.ts',
    find: "await into.journal.write(records, 'enqueue')",
    put: "if (into.delivery) await into.journal.write(records, 'enqueue')",
  },
  {
    name: 'a journal is imported twice',
    file: 'lib/tabs/importJournal.ts',
    find: 'if (record.lsn <= known) continue',
    put: '',
  },
  {
    name: 'the checkpoint is stored before apply has ended',
    file: 'lib/sync/taking.ts',
    find: 'await apply(Object.freeze(rows.map(changeOf)))',
    put: 'void Promise.resolve(apply(Object.freeze(rows.map(changeOf)))).catch(() => undefined)',
  },
  {
    name: 'a row is given over a change that waits',
    file: 'lib/sync/placeOf.ts',
    find: "return isBusy ? 'base' : 'apply'",
    put: "return 'apply'",
  },
  {
    name: 'a row that may be older than an own write is taken over',
    file: 'lib/sync/placeOf.ts',
    find: 'if (isSent(lane) || (isMoved && !isKnown))',
    put: 'if (isSent(lane))',
  },
  {
    name: 'what waited for an own change is not given to the app',
    file: 'lib/sync/puller.ts',
    find: 'if (lanes.length === 0) return',
    put: 'if (lanes.length >= 0) return',
  },
  {
    name: 'the remote wins, and the local change is sent',
    file: 'lib/sync/resolutions.ts',
    find: "if (resolution === 'remote') return takeRemote(entry)",
    put: "if (resolution === 'remote') resolution = 'local'",
  },
  {
    name: 'what was merged is dropped',
    file: 'lib/sync/resolutions.ts',
    find: "resolution === 'local' ?",
    put: 'true ?',
  },
]
