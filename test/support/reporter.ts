import type { TestEvent } from 'node:test/reporters'

/** One line of what this reporter writes: a test that ended. */
export interface Outcome {
  result: 'passed' | 'failed' | 'skipped'
  name: string
  file: string
  /** Why it was skipped. */
  reason?: string
}

/**
 * Writes each test that ended as a line of JSON, so that what was seen before a crash counts too. A test
 * with subtests is counted by these, unless it failed by itself; a suite is no test, but one that is skipped hides some
 * and counts as one; a `todo` is not a guarantee yet, so it counts as skipped.
 */
export default async function* reporter(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  // A test is reported after its subtests, file by file: what was seen one level deeper belongs to it.
  const subtests: number[] = []
  for await (const event of source) {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue
    const { name, file = '', nesting, details, skip, todo } = event.data
    const hadSubtests = (subtests[nesting + 1] ?? 0) > 0
    subtests[nesting + 1] = 0
    subtests[nesting] = (subtests[nesting] ?? 0) + 1

    const failure = event.type === 'test:fail' ? event.data.details.error : undefined
    const skipped = skip ?? todo
    const isGroup = hadSubtests || (details.type === 'suite' && skipped === undefined)
    if (isGroup && !failsByItself(failure)) continue

    const outcome: Outcome =
      skipped !== undefined && skipped !== false
        ? {
            result: 'skipped',
            name,
            file,
            reason: typeof skipped === 'string' && skipped ? skipped : 'no reason given',
          }
        : { result: failure ? 'failed' : 'passed', name, file }
    yield `${JSON.stringify(outcome)}\n`
  }
}

function failsByItself(failure: Error | undefined): boolean {
  return (
    failure !== undefined && (failure as Error & { failureType?: string }).failureType !== 'subtestsFailed'
  )
}
