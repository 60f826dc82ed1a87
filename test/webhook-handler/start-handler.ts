import { createHmac, randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { type Component, spawnComponent } from '../support/processes.ts'

export const SECRETS = {
  GITHUB_WEBHOOK_SECRET: 'a secret of GitHub',
  GIT_WEBHOOK_SECRET: 'a secret of git',
}

export interface Handler extends Component {
  url: string
  port: number
}

/** The real component, as a process of its own on a port of its own. */
export async function startHandler(t: TestContext, env: Record<string, string>): Promise<Handler> {
  const component = await spawnComponent(t, {
    type: 'webhook',
    env: {
      WEBHOOK_PORT: '0',
      WEBHOOK_HOST: '127.0.0.1',
      WEBHOOK_DRAIN_SECONDS: '0',
      ...SECRETS,
      ...env,
    },
  })
  const { port } = await component.line(({ msg }) => msg === 'webhook handler ready')
  return { ...component, port: Number(port), url: `http://127.0.0.1:${port}` }
}

export function sign(body: string | Buffer, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/** What a git webhook says, unless a test says otherwise; `nonce` makes it a body of its own. */
export function gitBody(fields: Record<string, unknown> = {}): string {
  const repository = 'https://git.example/team/shop.git'
  return JSON.stringify({ repository, base: 'main', head: 'a'.repeat(40), nonce: randomUUID(), ...fields })
}

export function gitHeaders(
  body: string | Buffer,
  { id = randomUUID() as string, secret = SECRETS.GIT_WEBHOOK_SECRET } = {},
) {
  return {
    'content-type': 'application/json',
    'x-kodus-delivery': id,
    'x-kodus-signature-256': sign(body, secret),
  }
}

export function githubHeaders(
  body: string | Buffer,
  { id = randomUUID() as string, event = 'pull_request', secret = SECRETS.GITHUB_WEBHOOK_SECRET } = {},
) {
  return {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': id,
    'x-hub-signature-256': sign(body, secret),
  }
}

export interface Answered {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON a route answers; tests say what they expect.
  body: any
}

export async function get(url: string): Promise<Answered> {
  const response = await fetch(url)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

export async function post(
  url: string,
  body: string | Buffer,
  headers: Record<string, string>,
): Promise<Answered> {
  const response = await fetch(url, { method: 'POST', body: new Uint8Array(Buffer.from(body)), headers })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

/** Posts a git webhook, signed. */
export function postGit(
  handler: Pick<Handler, 'url'>,
  body = gitBody(),
  options: Parameters<typeof gitHeaders>[1] = {},
) {
  return post(`${handler.url}/webhooks/git`, body, gitHeaders(body, options))
}

export function postGithub(
  handler: Pick<Handler, 'url'>,
  body: string,
  options: Parameters<typeof githubHeaders>[1] = {},
) {
  return post(`${handler.url}/webhooks/github`, body, githubHeaders(body, options))
}
