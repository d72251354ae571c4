import type { TaskEnd, TaskError } from '../types.ts'
import type { Entry } from './lane.ts'

/** What happened to a task: the outbox says it, others make results and events of it. */
export type Fact =
  | { entry: Entry; is: 'enqueued' | 'processing' }
  | { entry: Entry; is: 'ended'; end: ToldEnd; removed?: true }

/** What both sides of a conflict hold is read when somebody listens. */
export type ToldEnd = Exclude<TaskEnd, { status: 'conflict' }> | { status: 'conflict'; error?: TaskError }

/** The ends that need no answer of a remote. */
export type Unsent =
  | { status: 'failed' | 'expired'; error?: TaskError }
  | { status: 'superseded'; supersededBy: string }
  | { status: 'discarded' }
