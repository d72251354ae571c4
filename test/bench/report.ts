import { names, type Samples } from './run.ts'

const limit = names[0]

export interface Row {
  kind: string
  count: number
  /** Milliseconds of the limit: the median of the rounds. */
  limitMs: number
  /** Median of each round's ratio to the limit of that round. */
  ratios: Map<string, number>
}

export function rowsOf(samples: Samples): Row[] {
  return [...samples].flatMap(([kind, byLength]) =>
    [...byLength].map(([count, byName]) => {
      const limits = byName.get(limit) ?? []
      const ratio = (name: string) => median((byName.get(name) ?? []).map((ms, round) => ms / (limits[round] ?? 1)))
      return { kind, count, limitMs: median(limits), ratios: new Map(names.map((name) => [name, ratio(name)])) }
    }),
  )
}

/** The table, as text: a row a case and length. */
export function tableOf(rows: readonly Row[]): string {
  const others = names.slice(1)
  const lines = [
    `| case | tasks | ${limit} | ${others.join(' | ')} |`,
    `|---|---:|---:|${others.map(() => '---:|').join('')}`,
    ...rows.map(({ kind, count, limitMs, ratios }) => {
      const cells = others.map((name) => (ratios.get(name) ?? 0).toFixed(2))
      return `| ${kind} | ${count} | ${limitMs.toFixed(0)} ms | ${cells.join(' | ')} |`
    }),
  ]
  return lines.join('\n')
}

const [left, width, bar, gap] = [220, 480, 14, 12]

/** The same as bars: how long rx-outbox and a raw file take, with the limit as the line at 1. */
export function drawingOf(rows: readonly Row[]): string {
  const longest = Math.max(1.5, ...rows.flatMap(({ ratios }) => [...ratios.values()]))
  const x = (ratio: number) => left + (ratio / longest) * width
  const others = names.slice(1)
  const step = others.length * bar + gap
  const height = rows.length * step + 60
  const bars = rows.flatMap(({ kind, count, ratios }, row) => [
    `<text x="${left - 10}" y="${row * step + 52}" text-anchor="end">${kind}, ${count}</text>`,
    ...others.map((name, i) => {
      const ratio = ratios.get(name) ?? 0
      const y = row * step + 36 + i * bar
      const end = x(ratio)
      return `<rect class="${i === 0 ? 'raw' : 'own'}" x="${left}" y="${y}" width="${(end - left).toFixed(1)}" height="${bar - 2}"/><text x="${(end + 4).toFixed(1)}" y="${y + 10}">${ratio.toFixed(2)}</text>`
    }),
  ])
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${left + width + 60} ${height}" font-family="system-ui, sans-serif" font-size="11">
<style>text{fill:#444}.raw{fill:#b9c2cc}.own{fill:#2f6fde}line{stroke:#c0392b;stroke-dasharray:3 3}@media(prefers-color-scheme:dark){text{fill:#ccc}.raw{fill:#5a6470}}</style>
<text x="${left}" y="16">time, as a share of what raw IndexedDB takes in the same round (median); grey: a raw file, blue: rx-outbox</text>
<line x1="${x(1)}" x2="${x(1)}" y1="24" y2="${height - 16}"/>
${bars.join('\n')}
</svg>
`
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low = 0, high = 0] =
    sorted.length % 2 ? [sorted[middle], sorted[middle]] : sorted.slice(middle - 1, middle + 1)
  return (low + high) / 2
}
