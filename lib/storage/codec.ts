import type { JournalRecord } from './records.ts'

/**
 * The columns of each kind, in the order in which they are stored: this table is the record format. A record is one
 * line, `<kind><JSON array of the columns>`, and where the kind has data, a tab and the data's text. JSON holds no raw
 * tab or newline, so both separate safely, and opening a journal reads no data. New columns go to the end.
 */
const columns = {
  opened: ['id', 'doubtUpTo', 'doubtSince'],
  enqueued: [
    'id',
    'entityType',
    'entityId',
    'operation',
    'createdAt',
    'schemaVersion',
    'priority',
    'key',
    'owner',
    'expiresAt',
    'maxAge',
    'dependsOn',
    'place',
    'retryOf',
    'from',
    'fromLsn',
    'on',
    'local',
  ],
  sending: ['task', 'firstSentAt', 'backendId', 'version', 'backendIds', 'base', 'schemaVersion'],
  retry: ['task', 'retryCount', 'retryAt', 'error', 'held', 'inDoubt', 'asked'],
  ended: ['task', 'outcome', 'at', 'backendId', 'version', 'error', 'inDoubt', 'by', 'unsent', 'kept'],
  superseded: ['task', 'by', 'operation'],
  imported: ['writer', 'upTo'],
  command: ['name', 'task', 'entityType'],
  metadata: ['entityType', 'entityId', 'lastSyncAt', 'backendId', 'version'],
  progress: ['task'],
  base: ['entityType', 'entityId', 'version'],
  checkpoint: ['entityType'],
} as const satisfies {
  [K in JournalRecord['kind']]: readonly Exclude<
    keyof Extract<JournalRecord, { kind: K }>,
    'kind' | 'lsn' | 'epoch' | 'data'
  >[]
}

type Kind = keyof typeof columns

const letters: { [K in Kind]: string } = {
  opened: 'o',
  enqueued: 'e',
  sending: 's',
  retry: 'r',
  ended: 'x',
  superseded: 'u',
  imported: 'i',
  command: 'c',
  metadata: 'm',
  progress: 'p',
  base: 'b',
  checkpoint: 'k',
}

/** What has to be there for a record to mean anything. */
const required: { [K in Kind]: number } = {
  opened: 0,
  enqueued: 7,
  sending: 2,
  retry: 4,
  ended: 3,
  superseded: 3,
  imported: 2,
  command: 1,
  metadata: 2,
  progress: 1,
  base: 2,
  checkpoint: 1,
}

/** A record as one line of text without a newline. */
export function encodeRecord(record: JournalRecord): string {
  const values: unknown[] = [record.lsn, record.epoch]
  let filled = 2
  for (const name of columns[record.kind]) {
    const value: unknown = Reflect.get(record, name)
    // What is absent at the end is not written at all.
    values.push(value)
    if (value !== undefined) filled = values.length
  }
  values.length = filled
  const line = letters[record.kind] + JSON.stringify(values)
  return 'data' in record && record.data !== undefined ? `${line}\t${record.data}` : line
}

/** The record of a line, or `undefined` for a line that is none. Never throws. */
export function decodeRecord(line: string): JournalRecord | undefined {
  const form = forms.get(line[0] ?? '')
  if (!form) return undefined
  const tab = line.indexOf('\t')
  let values: unknown
  try {
    values = JSON.parse(tab < 0 ? line.slice(1) : line.slice(1, tab))
  } catch {
    return undefined
  }
  if (!Array.isArray(values) || !Number.isFinite(values[0]) || !Number.isFinite(values[1])) return undefined
  const record: { [name: string]: unknown } = { kind: form.kind, lsn: values[0], epoch: values[1] }
  if (!isRead(record, values, form.readers)) return undefined
  return tab < 0 ? record : Object.assign(record, { data: line.slice(tab + 1) })
}

/** Fills in the columns, and says whether all of them can be believed. */
function isRead(
  record: { [name: string]: unknown },
  values: unknown[],
  readers: readonly Reader[],
): record is AnyRecord {
  for (const [at, { name, isRequired, isSound }] of readers.entries()) {
    const value = values[at + 2]
    if (value === undefined || value === null) {
      if (isRequired) return false
    } else if (isSound(value)) record[name] = value
    else return false
  }
  return true
}

type AnyRecord = JournalRecord & { [name: string]: unknown }

interface Reader {
  name: string
  isRequired: boolean
  /** What is believed of the column; what is read by nobody but the app may be anything. */
  isSound: (value: unknown) => boolean
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNumber = (value: unknown): boolean => isText(value) || Number.isFinite(value)
const isRef = (value: unknown): boolean => hasTexts(value, 'entityType', 'id')
const isIdOrNull = (value: unknown): boolean => value === null || typeof value === 'string'
const isError = (value: unknown): boolean => hasTexts(value, 'category', 'message')
const isListOf = (isOne: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(isOne)

const texts = ['id', 'entityType', 'entityId', 'operation', 'key', 'outcome', 'writer', 'name', 'from'] as const
const numbers = [
  'task',
  'by',
  'upTo',
  'createdAt',
  'priority',
  'place',
  'expiresAt',
  'retryAt',
  'retryCount',
  'held',
  'firstSentAt',
  'schemaVersion',
  'fromLsn',
  'doubtUpTo',
  'doubtSince',
] as const
const soundness = new Map<string, Reader['isSound']>([
  ...texts.map((name) => [name, isText] as const),
  ...numbers.map((name) => [name, Number.isFinite] as const),
  ['dependsOn', isListOf(isRef)],
  ['backendIds', isListOf(isIdOrNull)],
  ['error', isError],
  ['on', isRow],
  ['local', isRow],
  // Ids, where a record names a task of another writer.
  ['ended by', isTextOrNumber],
  ['command task', isTextOrNumber],
])

const forms = new Map(
  Object.keys(columns)
    .filter(isKind)
    .map((kind) => [letters[kind], { kind, readers: readersOf(kind) }]),
)

function isKind(kind: string): kind is Kind {
  return Object.hasOwn(columns, kind)
}

function readersOf(kind: Kind): Reader[] {
  return columns[kind].map((name, at) => ({
    name,
    isRequired: at < required[kind],
    isSound: soundness.get(`${kind} ${name}`) ?? soundness.get(name) ?? (() => true),
  }))
}

/** An object, whose entities are text where it has any. */
function isRow(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return ['data', 'was'].every((name) => ['undefined', 'string'].includes(typeof Reflect.get(value, name)))
}

function hasTexts(value: unknown, ...names: string[]): boolean {
  return (
    typeof value === 'object' && value !== null && names.every((name) => typeof Reflect.get(value, name) === 'string')
  )
}
