import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { findPythonTool } from './python-tool.ts'

const VERSION = '1.46.2'

export interface AwsCli {
  /** For a test's `skip`: why it cannot be had, or false. */
  skip: string | false
  /** Runs `aws …`, which knows no account and is told no address but that of `endpoint`. */
  run(args: string[], endpoint?: string): Promise<{ exitCode: number; stdout: string; stderr: string }>
}

/** The real AWS CLI, fetched by pip once and installed nowhere. */
export function findAwsCli(): AwsCli {
  const { place, skip } = findPythonTool('awscli', VERSION)
  return { skip, run: (args, endpoint) => runCli(place, args, endpoint) }
}

async function runCli(place: string, args: string[], endpoint?: string) {
  const env = {
    PATH: process.env.PATH,
    PYTHONPATH: place,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_DEFAULT_REGION: 'us-east-1',
    ...(endpoint && { AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none', AWS_MAX_ATTEMPTS: '1' }),
  }
  const options = endpoint ? ['--endpoint-url', endpoint] : []
  const child = spawn('python3', ['-m', 'awscli', ...options, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ])
  return { exitCode, stdout, stderr }
}
