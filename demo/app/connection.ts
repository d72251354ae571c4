import { BehaviorSubject, combineLatest, distinctUntilChanged, fromEvent, map, merge, startWith } from 'rxjs'
import { isServerless, keptAs } from './device.ts'

const remembered = keptAs('demo-offline')

/** The switch of this device. It outlives a reload of the tab: being offline would, too. */
export const offlineSwitch$ = new BehaviorSubject(sessionStorage.getItem(remembered) === 'yes')
offlineSwitch$.subscribe((off) => sessionStorage.setItem(remembered, off ? 'yes' : 'no'))

const network$ = merge(fromEvent(window, 'online'), fromEvent(window, 'offline')).pipe(
  startWith(undefined),
  map(() => navigator.onLine),
)

/** Whether others can be reached at all. Devices of one browser reach each other without a network. */
export const connected$ = combineLatest([network$, offlineSwitch$]).pipe(
  map(([network, off]) => (network || isServerless) && !off),
  distinctUntilChanged(),
)

/** True until the server was asked. One that prepares its database would refuse everything, at the cost of attempts. */
export const serverStarting$ = new BehaviorSubject(!isServerless)

/** Handed to the outbox: offline, nothing at all is requested. */
export const online$ = new BehaviorSubject(false)
combineLatest([connected$, serverStarting$])
  .pipe(
    map(([connected, starting]) => connected && !starting),
    distinctUntilChanged(),
  )
  .subscribe(online$)
