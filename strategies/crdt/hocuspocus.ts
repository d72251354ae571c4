import {
  HocuspocusProvider,
  type HocuspocusProviderConfiguration,
  HocuspocusProviderWebsocket,
  WebSocketStatus,
} from '@hocuspocus/provider'
import { AuthError, ClientError, isPersistenceError, NetworkError, type PersistenceError, ServerError } from 'rx-outbox'
import { BehaviorSubject } from 'rxjs'
import type { UpdateLimits } from './applyForeign.ts'
import type { Attachment, CrdtConnection } from './connection.ts'
import { createTrials } from './trials.ts'

export interface HocuspocusOptions {
  url: string
  token: () => string | Promise<string>
  /** Of what the server sends. */
  limits: Partial<UpdateLimits>
  WebSocketPolyfill?: unknown
}

interface Waiting {
  resolve: () => void
  reject: (error: unknown) => void
}

/** All documents over one WebSocket, each with a provider of its own. */
export function hocuspocusConnection({ url, limits, token, WebSocketPolyfill }: HocuspocusOptions): CrdtConnection {
  const trials = createTrials({ limits })
  const socket = new HocuspocusProviderWebsocket({ url, ...(WebSocketPolyfill !== undefined && { WebSocketPolyfill }) })

  function attach(name: string, document: HocuspocusProvider['document'], { heartbeat = false } = {}): Attachment {
    const waiting = new Set<Waiting>()
    const synced$ = new BehaviorSubject(false)
    let broken: PersistenceError | undefined
    let tokenError: unknown

    const end = (how: (one: Waiting) => void) => {
      const all = [...waiting]
      waiting.clear()
      for (const one of all) how(one)
    }
    const fail = (error: PersistenceError) => {
      end(({ reject }) => {
        reject(error)
      })
    }
    const breakOff = (error: PersistenceError) => {
      broken = error
      fail(error)
    }
    const isSettled = () => provider.isSynced && !provider.hasUnsyncedChanges
    const isOpen = () => socket.status === WebSocketStatus.Connected

    const provider = new CheckedProvider(
      {
        name,
        document,
        websocketProvider: socket,
        // What is still on its way to an attachment before this one is not taken for this one's.
        sessionAwareness: true,
        ...(!heartbeat && { awareness: null }),
        token: async () => {
          try {
            tokenError = undefined
            return await token()
          } catch (error) {
            tokenError = error
            throw error
          }
        },
        onAuthenticationFailed: ({ reason }) => {
          const cause = tokenError ?? reason
          breakOff(isPersistenceError(cause) ? cause : new AuthError(`${name} was refused`, { cause }))
        },
        onSynced: ({ state }) => {
          synced$.next(state)
        },
        onUnsyncedChanges: () => {
          if (isSettled()) end(({ resolve }) => resolve())
        },
      },
      (update) => trials.examine(document, update),
      (cause) => breakOff(isPersistenceError(cause) ? cause : new ServerError(`${name} cannot be read`, { cause })),
    )
    provider.on('close', ({ event }: { event: { reason?: string } }) => {
      synced$.next(false)
      // Of this document only: the socket goes on.
      if (isOpen()) breakOff(new ServerError(`${name} was closed by the server`, { cause: event.reason }))
      else fail(new NetworkError(`${name}: no connection to the server`))
    })
    provider.attach()

    return {
      synced$: synced$.asObservable(),
      get broken() {
        return broken !== undefined
      },
      settled: ({ fresh = false } = {}) => {
        if (broken) return Promise.reject(broken)
        // It would never be acknowledged.
        const readOnly = provider.authorizedScope === 'readonly'
        if (readOnly && provider.isSynced && provider.hasUnsyncedChanges) {
          return Promise.reject(new ClientError(`${name} is read-only for this user`, { status: 403 }))
        }
        if (isSettled() && !fresh) return Promise.resolve()
        // Not while something else is waited for: it would be taken for the answer.
        if (isSettled()) provider.forceSync()
        // It may be waiting for its next try.
        if (socket.status === WebSocketStatus.Disconnected) void socket.connect()
        return new Promise<void>((resolve, reject) => waiting.add({ resolve, reject }))
      },
      detach: () => {
        provider.destroy()
        fail(new NetworkError(`${name} was let go`))
        synced$.complete()
      },
    }
  }

  return {
    attach,
    close: () => {
      // The one of Node tells an error when it is closed too early, and ends the process if nobody listens.
      socket.webSocket?.addEventListener('error', () => {})
      socket.destroy()
      trials.close()
    },
  }
}

/** A provider that looks at what the server sends before it applies it, and tells what is wrong instead of throwing. */
class CheckedProvider extends HocuspocusProvider {
  readonly #fail: (error: unknown) => void
  /** The first of them is being looked at elsewhere; the others came behind it. */
  #held: MessageEvent[] = []
  #trial: Promise<unknown> | undefined
  #isTried = false

  constructor(
    configuration: HocuspocusProviderConfiguration,
    examine: (update: Uint8Array) => unknown,
    fail: (error: unknown) => void,
  ) {
    super(configuration)
    this.#fail = fail
    this.on('message', ({ message }: { message: SentMessage }) => {
      message.readVarString()
      // Of the sync protocol, all but the question.
      if (this.#isTried || message.readVarUint() !== 0 || message.readVarUint() === 0) return
      const examined = examine(message.readVarUint8Array())
      if (!(examined instanceof Promise)) return
      this.#trial = examined
      throw notYet
    })
  }

  override onMessage(event: MessageEvent): void {
    if (this.#held.length > 0) this.#held.push(event)
    else this.#take(event, false)
  }

  override destroy(): void {
    this.#held = []
    super.destroy()
  }

  #take(event: MessageEvent, isTried: boolean): void {
    this.#isTried = isTried
    try {
      super.onMessage(event)
    } catch (error) {
      if (error !== notYet) return this.#fail(error)
      this.#held.unshift(event)
      this.#trial?.then(() => this.#goOn(), this.#fail)
    }
  }

  #goOn(): void {
    const [tried, ...behind] = this.#held
    this.#held = []
    if (tried) this.#take(tried, true)
    for (const event of behind) this.onMessage(event)
  }
}

/** Stops what the provider does with a message; it gets it again. */
const notYet = new Error('The update is looked at first')

interface SentMessage {
  readVarString: () => string
  readVarUint: () => number
  readVarUint8Array: () => Uint8Array
}
