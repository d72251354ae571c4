import type { SchedulerLike, Subscription } from 'rxjs'
import { StorageError } from '../errors.ts'
import type { OpfsRequest, Tail } from './opfsFiles.ts'

/** The part of a `Worker` that is used. */
export interface WorkerLike {
  postMessage: (message: unknown, transfer: Transferable[]) => void
  addEventListener: (type: 'message' | 'messageerror' | 'error', listener: (event: Event) => void) => void
  terminate: () => void
}

/** Requests to a worker that is started at the first one, and anew after it died or did not answer. */
export interface OpfsCalls {
  readonly isRunning: boolean
  call: (request: OpfsRequest) => Promise<Tail | undefined>
  /** Waits for what was asked, then ends the worker. */
  end: () => Promise<void>
}

interface Waiting {
  answered: (tail: Tail | undefined) => void
  failed: (error: unknown) => void
  timer: Subscription
}

type Answer = [id: number, tail?: Tail, failure?: { name: string; message: string }]

export function createOpfsCalls(start: () => WorkerLike, timeout: number, scheduler: SchedulerLike): OpfsCalls {
  const waiting = new Map<number, Waiting>()
  let worker: WorkerLike | undefined
  let calls = 0

  function started(): WorkerLike {
    const begun = start()
    begun.addEventListener('message', (event) => {
      if (event instanceof MessageEvent) answer(event.data as Answer)
    })
    for (const type of ['error', 'messageerror'] as const) {
      begun.addEventListener(type, (event) => {
        if (begun === worker) die(new StorageError(`The worker that writes the journal failed: ${told(event)}`))
      })
    }
    return begun
  }

  function answer([id, tail, failure]: Answer): void {
    const asked = waiting.get(id)
    waiting.delete(id)
    asked?.timer.unsubscribe()
    if (failure) asked?.failed(Object.assign(new Error(failure.message), { name: failure.name }))
    else asked?.answered(tail)
  }

  function die(error: StorageError): void {
    worker?.terminate()
    worker = undefined
    for (const { timer, failed } of waiting.values()) {
      timer.unsubscribe()
      failed(error)
    }
    waiting.clear()
  }

  const late = () => die(new StorageError(`The worker that writes the journal gave no answer for ${timeout} ms.`))

  function call(request: OpfsRequest): Promise<Tail | undefined> {
    return new Promise((answered, failed) => {
      worker ??= started()
      const id = ++calls
      waiting.set(id, { answered, failed, timer: scheduler.schedule(late, timeout) })
      worker.postMessage([id, request], request.bytes ? [request.bytes.buffer] : [])
    })
  }

  return {
    get isRunning() {
      return worker !== undefined
    },
    call,
    async end() {
      const ended = worker
      if (!ended) return
      await call({ op: 'release', directories: [], journal: '' }).catch(() => undefined)
      ended.terminate()
      if (worker === ended) worker = undefined
    },
  }
}

const told = (event: Event): string =>
  'message' in event && typeof event.message === 'string' ? event.message : 'it could not be loaded'
