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
} from 'rxjs'
import type { EventBus, Options, Persistence, Strategies } from './api.ts'
import { attach, createEventBus } from './bus.ts'
import type { Controls } from './controls.ts'
import { createDoor, type Draft } from './door.ts'
import { environment } from './environment.ts'
import { ClosedError, LockedError, NoOwnerError, PersistenceError } from './errors.ts'
import { createNews } from './news.ts'
import { normalize } from './options.ts'
import type { Lane } from './outbox/lane.ts'
import { createOwners } from './owners.ts'
import { createReceipts, type OpenReceipt } from './outbox/receipts.ts'
import type { StorageNews } from './recovery.ts'
import { createSession } from './session.ts'
import { statusOf, storageStatus } from './status.ts'
import { createStreams } from './streams.ts'
import { createViews, metadataOf } from './sync/metadata.ts'
import { createRemoteNews } from './sync/remoteNews.ts'
import type { EntityMap, EntityType } from './events.ts'
import type { PersistenceMetadata, Receipt, StorageStatus, TaskOptions, TaskResult } from './types.ts'

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
  const { store, storageChoice, createId } = settings
  const door = createDoor(settings)
  const receipts = createReceipts()
  const results$ = new Subject<TaskResult>()
  const errors$ = new Subject<unknown>()
  const around$ = new Subject<undefined>()
  const ended$ = new BehaviorSubject(false)
  let [online, paused] = [true, false]
  /** What a store that works is: `lost` until something was brought back, else for as long as the app runs. */
  let working: 'ok' | 'lost' = 'ok'
  let storage = storageStatus(store)

  const viewsOf = (name: string) => createViews(name, (type) => settings.retryConfigOf(type).maxRetries)
  const nobodysViews = viewsOf('')

  const trouble = (error: unknown) => errors$.next(error)

  function storageKnown(known: Partial<StorageStatus>): void {
    storage = Object.freeze({ ...storage, ...known })
    around$.next(undefined)
  }
  void storageChoice.made.then((made) => {
    const { state } = storage
    storageKnown({ ...storageStatus(made.store, made.why), state })
  })
  void storageChoice.persisted.then((persisted) => {
    if (persisted !== undefined) storageKnown({ persisted })
  })

  function storageNews(error: unknown): void {
    const state = error === undefined ? working : error instanceof LockedError ? 'locked' : 'degraded'
    if (error !== undefined) trouble(error)
    if (storage.state === state) return
    if (error !== undefined) bus.emit('storage:degraded', { error })
    storageKnown({ state })
  }

  function recoveryNews(news: StorageNews): void {
    working = 'lost' in news ? 'lost' : 'ok'
    if ('lost' in news) {
      trouble(news.lost.error)
      bus.emit('storage:lost', news.lost)
    } else bus.emit('storage:recovered', news.recovered)
    storageKnown({ state: working })
  }

  function wake(): void {
    session$.value?.wake()
    around$.next(undefined)
  }

  const owners = createOwners((owner) => {
    const views = viewsOf(owner)
    return createSession({
      settings,
      owner,
      receipts,
      views,
      isOnline: () => online,
      paused,
      tell: createNews({ bus, isHeard: attachment.isHeard, results$, receipts, views }),
      remote: remoteNews.teller(views),
      authRequired: (type) => bus.emit('auth:required', { entityType: type as EntityType<E> }),
      trouble,
      storage: storageNews,
      recovery: recoveryNews,
    })
  }, trouble)
  const { session$ } = owners

  function draftOf(...event: Parameters<typeof door>): Draft {
    if (ended$.value) throw new ClosedError('The outbox is closed.')
    if (owners.current === null) throw new NoOwnerError('Nobody owns the change: the option owner says null.')
    const draft = door(...event)
    const { entityType } = draft
    if (!settings.strategyOf(entityType))
      trouble(new PersistenceError(`${entityType} has no strategy: the change is parked.`))
    return draft
  }

  function take(operation: Draft['operation'], payload: Parameters<typeof door>[1]): OpenReceipt {
    const draft = draftOf(operation, payload)
    const receipt = receipts.open(createId())
    owners.hand((session) => session.accept(draft, receipt), receipt)
    return receipt
  }

  async function opened() {
    if (ended$.value) throw new ClosedError('The outbox is closed.')
    const session =
      session$.value ??
      (await firstValueFrom(session$.pipe(filter((open) => open !== undefined)), { defaultValue: undefined }))
    if (!session) throw new ClosedError('The outbox is closed.')
    return session.opened()
  }

  /** Asks whoever leads; where this tab's part changes meanwhile, once more. */
  async function command<T>(ask: (of: Controls) => Promise<T>): Promise<T> {
    const stage = await opened()
    try {
      return await ask(stage.controls)
    } catch (error) {
      if (!(error instanceof ClosedError) || (await opened()) === stage) throw error
      return await command(ask)
    } finally {
      wake()
    }
  }

  /** What concerns the outbox as a whole: where there is none, nothing is to be done. */
  async function govern(turn: (of: Controls) => Promise<void>): Promise<void> {
    if (session$.value && !ended$.value) await command(turn)
  }

  /** In this tab at once, also before anything is open. */
  async function setPaused(value: boolean): Promise<void> {
    paused = value
    session$.value?.gates.setPaused(value)
    around$.next(undefined)
    await govern((of) => (value ? of.pause() : of.resume()))
  }

  const streams = createStreams({
    changed$: merge<(Lane | undefined)[]>(
      around$,
      session$.pipe(switchMap((session) => (session?.changed$ ?? NEVER).pipe(startWith(undefined)))),
    ),
    closed$: ended$.pipe(filter((ended) => ended)),
    session: () => session$.value,
    views: () => session$.value?.views ?? nobodysViews,
    status: () => statusOf(session$.value, { online, paused, storage, closed: ended$.value }),
    scheduler: settings.scheduler,
  })

  const attachment = attach(bus)
  const remoteNews = createRemoteNews(bus, attachment.isHeard)
  const listening = new Subscription()
  listening.add(attachment.errors$.subscribe(errors$))
  listening.add(attachment.detach)
  listening.add(settings.online$.subscribe({ next: (value) => ((online = value), wake()), error: trouble }))
  listening.add(settings.owner$.subscribe({ next: owners.switchTo, error: trouble }))
  listening.add(environment.away$().subscribe(owners.setAway))
  attachment.connect(({ operation, payload, text }) => {
    const draft = draftOf(operation, payload, text)
    owners.hand((session) => session.acceptEvent(draft))
  })

  let closing: Promise<void> | undefined
  async function close(): Promise<void> {
    listening.unsubscribe()
    await owners.close()
    await store.close().catch(trouble)
    receipts.close(new ClosedError('The outbox was closed before the change was stored.'))
    ended$.next(true)
    results$.complete()
    remoteNews.close()
    errors$.complete()
    session$.complete()
    around$.complete()
  }

  return {
    bus,
    results$: results$.asObservable(),
    errors$: errors$.asObservable(),
    ...streams,
    conflicts$: streams.conflicts$ as Persistence<E>['conflicts$'],
    metadata: metadata as Persistence<E>['metadata'],
    created: <K extends EntityType<E>>(entityType: K, data: E[K], options?: TaskOptions) =>
      take('create', { ...options, entityType, data }) as Receipt<E[K]>,
    updated: <K extends EntityType<E>>(entityType: K, data: E[K], options?: TaskOptions) =>
      take('update', { ...options, entityType, data }) as Receipt<E[K]>,
    deleted: <K extends EntityType<E>>(entityType: K, id: string, options?: TaskOptions) =>
      take('delete', { ...options, entityType, id }) as Receipt<E[K]>,
    pause: () => setPaused(true),
    resume: () => setPaused(false),
    authorized: (entityType) => govern((of) => of.authorized(entityType)),
    flush: () => command((of) => of.flush()),
    retry: (taskId) => command((of) => of.retry(taskId)),
    discard: (taskId) => command((of) => of.discard(taskId)),
    resolve: (taskId, resolution) => command((of) => of.resolve(taskId, resolution)),
    retryAll: () => command((of) => of.retryAll()),
    discardAll: () => command((of) => of.discardAll()),
    pull: (entityType) => command((of) => of.pull(entityType)),
    remote$: remoteNews.of$ as Persistence<E>['remote$'],
    async idle() {
      // Nobody has nothing to do.
      if (owners.current === null) return
      await opened().catch(() => undefined)
      await session$.value?.idle()
    },
    close: () => (closing ??= close()),
  }

  async function metadata(
    entityType: string,
    id?: string,
  ): Promise<PersistenceMetadata | undefined | Map<string, PersistenceMetadata>> {
    const { outbox } = await opened()
    const all = metadataOf(outbox.state.lanes.values(), session$.value?.views ?? nobodysViews, entityType, id)
    return id === undefined ? all : all.get(id)
  }
}
