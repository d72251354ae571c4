import { ofStatus, type TaskResult } from 'rx-outbox'
import type { Observable } from 'rxjs'
import { describe, expectTypeOf, test } from 'vitest'
import { marbles } from '../../support/marbles.ts'

type End = { status: 'persisted'; sent: boolean } | { status: 'failed' } | { status: 'discarded' }
const ends: Record<string, End> = {
  p: { status: 'persisted', sent: true },
  f: { status: 'failed' },
  d: { status: 'discarded' },
}

describe('ofStatus', () => {
  test('lets the given statuses through', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      const source = hot('-pfd-p|', ends)
      expectObservable(source.pipe(ofStatus('persisted'))).toBe('-p---p|', ends)
      expectObservable(source.pipe(ofStatus('failed', 'discarded'))).toBe('--fd--|', ends)
      expectObservable(source.pipe(ofStatus())).toBe('------|', ends)
      expectSubscriptions(source.subscriptions).toBe(['^-----!', '^-----!', '^-----!'])
    })
  })

  test('hands errors and unsubscribing on', () => {
    marbles(({ hot, expectObservable, expectSubscriptions }) => {
      expectObservable(hot('-f#', ends).pipe(ofStatus('persisted'))).toBe('--#')
      const source = hot('-p-p', ends)
      expectObservable(source.pipe(ofStatus('persisted')), '--!').toBe('-p-', ends)
      expectSubscriptions(source.subscriptions).toBe('^-!')
    })
  })

  test('narrows the type', () => {
    const persisted = (results$: Observable<TaskResult>) => results$.pipe(ofStatus('persisted'))
    expectTypeOf(persisted).returns.toExtend<Observable<{ status: 'persisted'; sent: boolean }>>()
    // @ts-expect-error there is no such status
    ofStatus<TaskResult, 'done'>('done')
  })
})
