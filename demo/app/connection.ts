import { BehaviorSubject, combineLatest, distinctUntilChanged, fromEvent, map, merge, startWith } from 'rxjs'

const remembered = 'demo-offline'

/** The switch in the panel. It outlives a reload of the tab: being offline would, too. */
export const offlineSwitch$ = new BehaviorSubject(sessionStorage.getItem(remembered) === 'yes')
offlineSwitch$.subscribe((off) => sessionStorage.setItem(remembered, off ? 'yes' : 'no'))

const network$ = merge(fromEvent(window, 'online'), fromEvent(window, 'offline')).pipe(
  startWith(undefined),
  map(() => navigator.onLine),
)

/** Whether the server can be asked at all. */
export const connected$ = combineLatest([network$, offlineSwitch$]).pipe(
  map(([network, off]) => network && !off),
  distinctUntilChanged(),
)

/** True until the server was asked. One that prepares its database would refuse everything, at the cost of attempts. */
export const serverStarting$ = new BehaviorSubject(true)

/** Handed to the outbox; `api.ts` asks it too, so that offline nothing at all is requested. */
export const online$ = new BehaviorSubject(false)
combineLatest([connected$, serverStarting$])
  .pipe(
    map(([connected, starting]) => connected && !starting),
    distinctUntilChanged(),
  )
  .subscribe(online$)
