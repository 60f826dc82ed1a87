import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { KodusError } from '../../lib/errors.ts'
import { lastLines, runTool } from '../images/run-tool.ts'
import type { AwsCall } from './aws-call.ts'
import { readDockerDirectory } from './config.ts'

/**
 * Pushes an image of the engine to ECR.
 *
 * @param from its name in the engine
 * @param repository its URI in ECR
 * @returns `repository@sha256:…`
 * @throws KodusError PUSH_FAILED
 */
export async function pushImage(
  call: AwsCall,
  from: string,
  repository: string,
  tag: string,
): Promise<string> {
  const to = `${repository}:${tag}`
  const settings = mkdtempSync(join(tmpdir(), 'kodus-docker-'))
  try {
    keepContext(readDockerDirectory(), settings)
    const docker = (...args: string[]) => runTool('docker', ['--config', settings, ...args])
    await logIn(call, settings, repository.slice(0, repository.indexOf('/')))
    ensureDone(`docker tag ${to}`, await docker('tag', from, to))
    ensureDone(`docker push ${to}`, await docker('push', to))
    const inspect = ['image', 'inspect', '--format', '{{json .RepoDigests}}', to]
    const digests: string[] = JSON.parse((await docker(...inspect)).stdout)
    const pushed = digests.find((digest) => digest.startsWith(`${repository}@`))
    if (pushed) return pushed
    throw pushFailed(`The engine does not say under which digest it pushed ${to}.`)
  } finally {
    rmSync(settings, { recursive: true, force: true })
  }
}

/**
 * The token of the registry goes to docker by its standard input, and docker keeps it in a directory that is removed
 * afterwards: nothing of it stays, and a login that is there already is not touched.
 */
async function logIn(call: AwsCall, settings: string, registry: string): Promise<void> {
  const { authorizationData = [] } = await call<{ authorizationData?: { authorizationToken: string }[] }>(
    'ecr',
    'GetAuthorizationToken',
    {},
  )
  const [user = '', password = ''] = Buffer.from(authorizationData[0]?.authorizationToken ?? '', 'base64')
    .toString()
    .split(':')
  const args = ['--config', settings, 'login', '--username', user, '--password-stdin', registry]
  const child = spawn('docker', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {}).end(password)
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('error', () => resolve(null)).once('close', resolve)),
  ])
  ensureDone(`docker login ${registry}`, { code, output: stdout + stderr })
}

/** Which engine is talked to is kept in the same directory as logins. */
function keepContext(from: string, to: string): void {
  const contexts = join(from, 'contexts')
  if (existsSync(contexts)) symlinkSync(contexts, join(to, 'contexts'))
  const file = join(from, 'config.json')
  const { currentContext } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  writeFileSync(join(to, 'config.json'), JSON.stringify(currentContext ? { currentContext } : {}), {
    mode: 0o600,
  })
}

function ensureDone(what: string, { code, output }: { code: number | null; output: string }): void {
  if (code !== 0) throw pushFailed(`${what} failed: ${lastLines(output).join(' ')}`)
}

function pushFailed(message: string): KodusError {
  return new KodusError('PUSH_FAILED', message, {
    help: 'The engine must reach ECR (docker info, and the network), and whoever runs this must be permitted to push: docs/deploying.md has the policy.',
  })
}
