import type { Environment } from '../../src/lib/env.ts'

/**
 * What a shell may hold that would change what a test does, or let it reach somebody's real database, broker,
 * model, repository or account: settings of ours, of libpq, Git (set inside its hooks), AWS, Erlang and Node.
 */
const SETTINGS_OF_THE_SHELL =
  /^(COMPONENT_TYPE$|(WEBHOOK|API|WORKER|DATABASE|RABBITMQ|LLM|GIT|GITHUB|KODUS|PG|AWS|ERL|EPMD)_|PG[A-Z]+$|NODE_OPTIONS$|NODE_TEST_CONTEXT$)/

/** The environment for test files: the shell's, without the settings above. */
export function testEnvironment(shell: Environment): Record<string, string> {
  const kept = Object.entries(shell).filter(([name]) => !SETTINGS_OF_THE_SHELL.test(name))
  return Object.fromEntries(kept.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
