import { edited, persistence, show, taskId } from './app.ts'

persistence.conflicts$.subscribe((conflicts) => {
  for (const { base, local, remote, ...rest } of conflicts) show(rest.taskId, { base, mine: local, theirs: remote })
})

// When the person has decided, one of these:
await persistence.resolve(taskId, 'local') // what is here
await persistence.resolve(taskId, 'remote') // what the remote holds
await persistence.resolve(taskId, { merged: edited }) // something made of both
