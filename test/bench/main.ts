import { rowsOf, drawingOf, tableOf } from './report.ts'
import { type BenchOptions, runBench } from './run.ts'

/** The table and its drawing. */
export async function bench(script: string, options: BenchOptions): Promise<{ table: string; drawing: string }> {
  const rows = rowsOf(await runBench(script, options))
  return { table: tableOf(rows), drawing: drawingOf(rows) }
}
