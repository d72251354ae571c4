import * as fc from 'fast-check'
import type { JournalRecord } from '../../lib/storage/records.ts'
import type { EntityRef, TaskError } from '../../lib/types.ts'

const lsn = fc.nat({ max: 2 ** 40 })
const time = fc.integer({ min: 0, max: 2 ** 45 })
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('', 'a\tb', 'a\nb', '\u2028', '"', '\\', '__proto__', 'null'),
)
/** Data is the text of JSON: it holds no raw tab or newline. */
const data = fc.json({ maxDepth: 2 })
const version = fc.oneof(text, fc.integer())
const ref: fc.Arbitrary<EntityRef> = fc.record({ entityType: text, id: text })
const error: fc.Arbitrary<TaskError> = fc.record(
  {
    category: fc.constantFrom('network', 'timeout', 'server', 'client', 'auth', 'conflict', 'rate-limit', 'unknown'),
    message: text,
    status: fc.integer({ min: 100, max: 599 }),
  },
  { requiredKeys: ['category', 'message'] },
)

const numbered = { lsn, epoch: fc.nat({ max: 1_000 }) }

/** A record of every kind, with and without what may be left out. */
export const anyRecord: fc.Arbitrary<JournalRecord> = fc.oneof(
  fc.record(
    { kind: fc.constant('opened'), ...numbered, id: text, doubtUpTo: lsn, doubtSince: time },
    { requiredKeys: ['kind', 'lsn', 'epoch'] },
  ),
  fc.record(
    {
      kind: fc.constant('enqueued'),
      ...numbered,
      id: text,
      entityType: text,
      entityId: text,
      operation: fc.constantFrom('create', 'update', 'delete'),
      createdAt: time,
      schemaVersion: fc.nat(),
      priority: fc.integer(),
      key: text,
      owner: text,
      expiresAt: time,
      maxAge: time,
      dependsOn: fc.array(ref, { maxLength: 3 }),
      place: lsn,
      retryOf: text,
      on: fc.record({ version, data: fc.json(), was: fc.json() }, { requiredKeys: [] }),
      local: fc.record({ data: fc.json() }, { requiredKeys: [] }),
      data,
    },
    {
      requiredKeys: [
        'kind',
        'lsn',
        'epoch',
        'id',
        'entityType',
        'entityId',
        'operation',
        'createdAt',
        'schemaVersion',
        'priority',
      ],
    },
  ),
  fc.record(
    {
      kind: fc.constant('sending'),
      ...numbered,
      task: lsn,
      firstSentAt: time,
      backendId: text,
      version,
      backendIds: fc.array(fc.option(text), { maxLength: 3 }),
      base: fc.json({ maxDepth: 1 }),
      schemaVersion: fc.nat(),
      data,
    },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'task', 'firstSentAt'] },
  ),
  fc.record(
    {
      kind: fc.constant('retry'),
      ...numbered,
      task: lsn,
      retryCount: fc.nat(),
      retryAt: time,
      error,
      held: fc.nat(),
      inDoubt: fc.boolean(),
      asked: fc.boolean(),
    },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'task', 'retryCount', 'retryAt', 'error'] },
  ),
  fc.record(
    {
      kind: fc.constant('ended'),
      ...numbered,
      task: lsn,
      outcome: fc.constantFrom('persisted', 'failed', 'expired', 'superseded', 'discarded'),
      at: time,
      backendId: text,
      version,
      error,
      inDoubt: fc.boolean(),
      by: text,
      kept: fc.boolean(),
      data,
    },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'task', 'outcome', 'at'] },
  ),
  fc.record(
    {
      kind: fc.constant('superseded'),
      ...numbered,
      task: lsn,
      by: lsn,
      operation: fc.constantFrom('create', 'update', 'delete'),
      data,
    },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'task', 'by', 'operation'] },
  ),
  fc.record({ kind: fc.constant('imported'), ...numbered, writer: text, upTo: lsn }),
  fc.record(
    { kind: fc.constant('command'), ...numbered, name: text, task: text, entityType: text, data },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'name'] },
  ),
  fc.record(
    {
      kind: fc.constant('metadata'),
      ...numbered,
      entityType: text,
      entityId: text,
      lastSyncAt: time,
      backendId: text,
      version,
      data,
    },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'entityType', 'entityId'] },
  ),
  fc.record({ kind: fc.constant('progress'), ...numbered, task: lsn, data }),
  fc.record(
    { kind: fc.constant('base'), ...numbered, entityType: text, entityId: text, version, data },
    { requiredKeys: ['kind', 'lsn', 'epoch', 'entityType', 'entityId'] },
  ),
  fc.record({ kind: fc.constant('checkpoint'), ...numbered, entityType: text, data }),
)
