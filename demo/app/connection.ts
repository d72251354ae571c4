import { BehaviorSubject, combineLatest, distinctUntilChanged, fromEvent, map, merge, startWith } from 'rxjs'

const remembered = 'demo-offline'

/** The switch in the panel. It outlives a reload of the tab: being offline would, too. */
export const offlineSwitch$ = new BehaviorSubject(sessionStorage.getItem(remembered) === 'yes')
offlineSwitch$.subscribe((off) => sessionStorage.setItem(remembered, off ? 'yes' : 'no'))

const network$ = merge(fromEvent(window, 'online'), fromEvent(window, 'offline')).pipe(
  startWith(undefined),
  map(() => navigator.onLine),
)

/** Handed to the outbox; `api.ts` asks it too, so that offline nothing at all is requested. */
export const online$ = new BehaviorSubject(navigator.onLine && !offlineSwitch$.value)
combineLatest([network$, offlineSwitch$])
  .pipe(
    map(([network, off]) => network && !off),
    distinctUntilChanged(),
  )
  .subscribe(online$)
