import { expect, test } from 'vitest'
import { runKills } from './runKills.ts'
import { verdictOf } from './verdict.ts'

const kills = Number(process.env['KILLS'] ?? 20)

test(
  'whatever the browser is doing when it is killed, nothing acknowledged is lost, applied twice or out of order',
  async () => {
    // A kill is mostly waiting: two browsers at a time.
    const half = Math.ceil(kills / 2)
    const reports = await Promise.all([
      runKills({ kills: half, seed: 1 }),
      runKills({ kills: kills - half, from: half, seed: 2 }),
    ])
    expect(reports.map((report) => report.kills)).toEqual([half, kills - half])
    for (const report of reports) {
      console.log(JSON.stringify(report))
      expect(report).toMatchObject({ lost: [], twice: [], outOfOrder: [] })
      expect(Object.keys(report.kinds).filter((kind) => !kind.includes('opfs'))).toEqual([])
    }
  },
  Math.max(600_000, kills * 20_000),
)

test('a history that breaks each promise is found out', () => {
  const applied = [
    ['a', 1],
    ['a', 2],
    ['b', 5],
    ['a', 2],
    ['b', 4],
  ].map(([id, rev], n) => ({ key: `k${n}`, id: String(id), rev: Number(rev) }))
  const acknowledged = new Map([
    ['a', 3],
    ['b', 4],
    ['c', 1],
  ])
  expect(verdictOf({ requests: 5, acknowledgements: 3, applied, acknowledged })).toEqual({
    lost: ['a at revision 3', 'c at revision 1'],
    twice: ['a at revision 2'],
    outOfOrder: ['b at revision 4 behind 5'],
  })
})
