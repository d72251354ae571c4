import type { Superseded } from '../storage/records.ts'
import { type Entry, insertByPlace, removeFrom } from './lane.ts'
import { allRefs, type Relations } from './relations.ts'

export interface SuccessionConfig {
  tasks: Map<number, Entry>
  relations: Pick<Relations, 'awaitDependencies' | 'forsake'>
  become: (entry: Entry, state: Entry['state']) => void
}

/** Two tasks of a lane become one: the newer, in the older's place. Returns it. */
export function createSuccession({ tasks, relations, become }: SuccessionConfig) {
  const { awaitDependencies, forsake } = relations
  return ({ task, by, operation, data }: Superseded): Entry | undefined => {
    const older = tasks.get(task)
    const newer = tasks.get(by)
    if (!older || !newer) return undefined
    const { queue } = newer.lane
    removeFrom(queue, older)
    removeFrom(queue, newer)
    forsake(older)
    forsake(newer)
    tasks.delete(older.lsn)
    become(older, 'ended')
    newer.place = older.place
    newer.operation = operation
    if (data !== undefined) newer.data = data
    newer.priority = Math.max(older.priority, newer.priority)
    newer.dependsOn = allRefs(older.dependsOn, newer.dependsOn)
    // What both change together is counted from where the older one began.
    newer.on ??= older.on
    insertByPlace(queue, newer)
    awaitDependencies(newer)
    return newer
  }
}
