import {
  BehaviorSubject,
  filter,
  firstValueFrom,
  merge,
  NEVER,
  startWith,
  Subject,
  Subscription,
  switchMap,
  takeUntil,
} from 'rxjs'
import type { EventBus, Options, Persistence, Strategies } from './api.ts'
import { attach, createEventBus } from './bus.ts'
import { createDoor, type Draft } from './door.ts'
import { ClosedError, NoOwnerError, PersistenceError } from './errors.ts'
import { createNews } from './news.ts'
import { normalize } from './options.ts'
import type { Lane } from './outbox/lane.ts'
import { createReceipts, type OpenReceipt } from './outbox/receipts.ts'
import { createSession, type Session } from './session.ts'
import { statusOf } from './status.ts'
import { createStreams } from './streams.ts'
import { createViews, metadataOf } from './sync/metadata.ts'
import type { EntityMap, EntityType } from './events.ts'
import type { OutboxStatus, PersistenceMetadata, Receipt, TaskOptions, TaskResult } from './types.ts'

/**
 * Opens an outbox: entity events in, outcomes out. The bus decides the types, else the strategies do.
 *
 * @throws TypeError for a wrong option or strategy; the message names it
 *
 * @example
 * const persistence = createPersistence({ strategies: { tag: restStrategy<Tag>({ url: '/api/tags' }) } })
 * const receipt = persistence.created('tag', { id: 't1', name: 'urgent' })
 * await receipt.durable
 */
export function createPersistence<E extends EntityMap>(config: {
  strategies: Strategies<E>
  options?: { bus?: EventBus<E> } & Options<NoInfer<E>>
}): Persistence<E> {
  const { bus = createEventBus<E>(), ...given } = config.options ?? {}
  const settings = normalize<E>(config.strategies, given)
  const { store, createId } = settings
  const door = createDoor(settings)
  const receipts = createReceipts()
  const results$ = new Subject<TaskResult>()
  const errors$ = new Subject<unknown>()
  const around$ = new Subject<undefined>()
  const ended$ = new BehaviorSubject(false)
  const session$ = new BehaviorSubject<Session | undefined>(undefined)
  const closings = new Map<string, Promise<void>>()
  /** Events of an owner that is not known, or not open, yet. */
  let held: { owner: string | undefined; hand: (session: Session) => void; receipt?: OpenReceipt }[] = []
  /** `undefined` before the first value. */
  let owner: string | null | undefined
  let online = true
  let paused = false
  let storage: OutboxStatus['storage'] = Object.freeze({
    kind: store.kind,
    durability: store.durability,
    state: 'opening',
  })

  const viewsOf = (name: string) => createViews(name, (type) => settings.retryConfigOf(type).maxRetries)
  let views = viewsOf('')

  const trouble = (error: unknown) => errors$.next(error)

  function storageNews(error: unknown): void {
    const state = error === undefined ? 'ok' : 'degraded'
    if (error !== undefined) trouble(error)
    if (storage.state === state) return
    storage = Object.freeze({ ...storage, state })
    if (error !== undefined) bus.emit('storage:degraded', { error })
    around$.next(undefined)
  }

  function wake(): void {
    session$.value?.wake()
    around$.next(undefined)
  }

  function begin(name: string): void {
    if (owner !== name || ended$.value) return
    views = viewsOf(name)
    const session = createSession({
      settings,
      owner: name,
      receipts,
      views,
      isOnline: () => online,
      isPaused: () => paused,
      tell: createNews({ bus, isHeard: attachment.isHeard, results$, receipts, views }),
      authRequired: (type) => bus.emit('auth:required', { entityType: type as EntityType<E> }),
      trouble,
      storage: storageNews,
    })
    session$.next(session)
    const own = held.filter((event) => event.owner === undefined || event.owner === name)
    held = held.filter((event) => !own.includes(event))
    for (const event of own) event.hand(session)
  }

  function switchTo(next: string | null): void {
    if (next === owner) return
    const before = session$.value
    owner = next
    session$.next(undefined)
    if (before)
      closings.set(
        before.owner,
        before.close().finally(() => closings.delete(before.owner)),
      )
    if (next === null) refuseUnowned()
    else void (closings.get(next)?.then(() => begin(next)) ?? begin(next))
  }

  function refuseUnowned(): void {
    const error = new NoOwnerError('Nobody owns the change: the option owner says null.')
    for (const { receipt } of held.filter((event) => event.owner === undefined)) receipt?.notStored(error)
    held = held.filter((event) => event.owner !== undefined)
  }

  /** Hands an event to its owner's session: to whoever owns it at this moment. */
  function hand(to: (session: Session) => void, receipt?: OpenReceipt): void {
    const session = session$.value
    if (session && session.owner === owner) to(session)
    else held.push({ owner: owner ?? undefined, hand: to, ...(receipt && { receipt }) })
  }

  function draftOf(...event: Parameters<typeof door>): Draft {
    if (ended$.value) throw new ClosedError('The outbox is closed.')
    if (owner === null) throw new NoOwnerError('Nobody owns the change: the option owner says null.')
    const draft = door(...event)
    const { entityType } = draft
    if (!settings.strategyOf(entityType))
      trouble(new PersistenceError(`${entityType} has no strategy: the change is parked.`))
    return draft
  }

  function take(operation: Draft['operation'], payload: Parameters<typeof door>[1]): OpenReceipt {
    const draft = draftOf(operation, payload)
    const receipt = receipts.open(createId())
    hand((session) => session.accept(draft, receipt), receipt)
    return receipt
  }

  async function opened(as?: 'leading') {
    const session =
      session$.value ??
      (await firstValueFrom(session$.pipe(filter((open) => open !== undefined)), { defaultValue: undefined }))
    if (!session) throw new ClosedError('The outbox is closed.')
    return session.opened(as)
  }

  const commands = async () => {
    const stage = await opened('leading')
    if (!stage.commands) throw new ClosedError('The outbox is closed.')
    return stage.commands
  }

  const streams = createStreams({
    changed$: merge<(Lane | undefined)[]>(
      around$,
      session$.pipe(switchMap((session) => (session?.changed$ ?? NEVER).pipe(startWith(undefined)))),
    ).pipe(takeUntil(ended$.pipe(filter((ended) => ended)))),
    session: () => session$.value,
    views: () => views,
    status: () => statusOf(session$.value, { online, paused, storage, closed: ended$.value }),
    scheduler: settings.scheduler,
  })

  const attachment = attach(bus)
  const listening = new Subscription()
  listening.add(attachment.errors$.subscribe(errors$))
  listening.add(attachment.detach)
  listening.add(settings.online$.subscribe({ next: (value) => ((online = value), wake()), error: trouble }))
  listening.add(settings.owner$.subscribe({ next: switchTo, error: trouble }))
  attachment.connect(({ operation, payload, text }) => {
    const draft = draftOf(operation, payload, text)
    hand((session) => session.acceptEvent(draft))
  })

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    listening.unsubscribe()
    const session = session$.value
    await Promise.all([...closings.values(), session?.close()])
    await store.close().catch(trouble)
    receipts.close(new ClosedError('The outbox was closed before the change was stored.'))
    ended$.next(true)
    results$.complete()
    errors$.complete()
    session$.complete()
    around$.complete()
  }

  return {
    bus,
    results$: results$.asObservable(),
    errors$: errors$.asObservable(),
    ...streams,
    metadata: metadata as Persistence<E>['metadata'],
    created: <K extends EntityType<E>>(entityType: K, data: E[K], options?: TaskOptions) =>
      take('create', { ...options, entityType, data }) as Receipt<E[K]>,
    updated: <K extends EntityType<E>>(entityType: K, data: E[K], options?: TaskOptions) =>
      take('update', { ...options, entityType, data }) as Receipt<E[K]>,
    deleted: <K extends EntityType<E>>(entityType: K, id: string, options?: TaskOptions) =>
      take('delete', { ...options, entityType, id }) as Receipt<E[K]>,
    async pause() {
      paused = true
      wake()
    },
    async resume() {
      paused = false
      wake()
    },
    async authorized(entityType) {
      session$.value?.unauthorized.delete(entityType)
      wake()
    },
    async flush() {
      const { commands: own } = await opened()
      own?.flush()
      wake()
    },
    retry: async (taskId) => (await commands()).retry(taskId).finally(wake),
    discard: async (taskId) => (await commands()).discard(taskId).finally(wake),
    retryAll: async () => (await commands()).retryAll().finally(wake),
    discardAll: async () => (await commands()).discardAll().finally(wake),
    async idle() {
      await opened().catch(() => undefined)
      await session$.value?.idle()
    },
    close: () => (closing ??= close()),
  }

  async function metadata(
    entityType: string,
    id?: string,
  ): Promise<PersistenceMetadata | undefined | Map<string, PersistenceMetadata>> {
    const all = metadataOf((await opened()).outbox.state.lanes.values(), views, entityType, id)
    return id === undefined ? all : all.get(id)
  }
}
