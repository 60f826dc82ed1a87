import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { type Aws, KEYS } from './aws-server.ts'
import { REGION } from './world.ts'

export interface Ran {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs `kodus …` against a server, and sees that nothing it asked was wrong. */
export async function kodus(aws: Aws, args: string[], env: Record<string, string> = {}): Promise<Ran> {
  const result = await startKodus(aws, args, env).ran
  assert.deepEqual(aws.complaints, [], result.stderr)
  return result
}

/** The same, while it runs. */
export function startKodus(
  aws: Aws,
  args: string[],
  env: Record<string, string> = {},
): { child: ChildProcess; ran: Promise<Ran> } {
  const { PATH = '', HOME = '', TMPDIR = '' } = process.env
  const [command = '', ...others] = args
  const child = spawn(process.execPath, ['src/cli/main.ts', command, ...others, '--every', '5ms'], {
    // Nothing of whoever runs the tests: no profile of theirs, and no metadata of their machine.
    env: {
      PATH,
      HOME,
      ...(TMPDIR ? { TMPDIR } : {}),
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_ENDPOINT_URL: aws.url,
      AWS_REGION: REGION,
      AWS_MAX_ATTEMPTS: '3',
      AWS_ACCESS_KEY_ID: KEYS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: KEYS.secretAccessKey,
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  aws.children.push(child)
  const ran = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr, [code]]): Ran => ({ code, stdout, stderr }),
  )
  return { child, ran }
}
