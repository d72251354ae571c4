/** What is known outside the browser. */
export interface History {
  requests: number
  acknowledgements: number
  /** Each write that the remote applied, in order. */
  applied: { key: string; id: string; rev: number }[]
  /** The highest revision of each entity whose `durable` resolved. */
  acknowledged: Map<string, number>
}

export interface Verdict {
  /** Acknowledged revisions that neither arrived nor were superseded by a later one that did. */
  lost: string[]
  /** Revisions applied under two keys. */
  twice: string[]
  /** Revisions applied behind a later one of their entity. */
  outOfOrder: string[]
}

/** What a drained outbox broke of its promises. */
export function verdictOf({ applied, acknowledged }: History): Verdict {
  const verdict: Verdict = { lost: [], twice: [], outOfOrder: [] }
  const newest = new Map<string, number>()
  const seen = new Set<string>()
  for (const { id, rev } of applied) {
    const what = `${id} at revision ${rev}`
    const before = newest.get(id) ?? 0
    if (seen.has(what)) verdict.twice.push(what)
    else if (rev < before) verdict.outOfOrder.push(`${what} behind ${before}`)
    seen.add(what)
    newest.set(id, Math.max(before, rev))
  }
  for (const [id, rev] of acknowledged) {
    if ((newest.get(id) ?? 0) < rev) verdict.lost.push(`${id} at revision ${rev}`)
  }
  return verdict
}
