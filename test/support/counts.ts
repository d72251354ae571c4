import { writeFileSync } from 'node:fs'
import type { Reporter, TestModule, SerializedError } from 'vitest/node'

/**
 * Counts tests for the last line of `npm test`. A file that could not be loaded, an error outside any test and a test that
 * was skipped count as failed: each hides something that was meant to be seen.
 */
export class Counts implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const counts = { passed: 0, failed: unhandled.length }
    for (const module of modules) {
      counts.failed += module.errors().length
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length
      for (const test of module.children.allTests()) counts[test.result().state === 'passed' ? 'passed' : 'failed'] += 1
    }
    const file = process.env['RX_OUTBOX_COUNTS']
    if (file) writeFileSync(file, JSON.stringify(counts))
    else process.stdout.write(`\n${counts.passed} passed, ${counts.failed} failed\n`)
  }
}
