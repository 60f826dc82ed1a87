import type { TestContext } from 'node:test'

/** What is acquired for a run, and released after it. */
export interface Scope {
  /** What the helpers of the tests take: they ask it for nothing but `after`. */
  context: TestContext
  after(release: () => unknown): void
  /** Releases everything, the last acquired first; what fails does not keep the rest from it. */
  close(): Promise<void>
}

export function createScope(): Scope {
  const releases: (() => unknown)[] = []
  const after = (release: () => unknown) => void releases.push(release)
  return {
    context: { after, passed: true } as unknown as TestContext,
    after,
    async close() {
      for (const release of releases.splice(0).reverse()) {
        await Promise.resolve()
          .then(release)
          .catch((error) => console.error('could not clean up:', error))
      }
    },
  }
}
