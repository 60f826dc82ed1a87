import { generateKeyPairSync, type KeyObject, type KeyPairKeyObjectResult } from 'node:crypto'
import type { AppPermissions } from './model/permissions.ts'
import type { HookRecord, State } from './model/state.ts'
import type { Description } from './openapi.ts'
import type { Clock } from './server.ts'
import type { Outbox } from './webhooks.ts'

/** What every part of the server works with. */
export interface World {
  state: State
  clock: Clock
  description: Description
  app: TestApp
  outbox: Outbox
  /** `http://127.0.0.1:PORT` */
  origin: string
  maxFiles: number
}

export interface TestApp {
  id: number
  slug: string
  clientId: string
  clientSecret: string
  privateKey: string
  publicKey: KeyObject
  webhookSecret: string
  permissions: AppPermissions
  hook: HookRecord
  manifests: Map<string, Record<string, unknown>>
}

/** The events that the App is subscribed to, besides those that every App gets. */
const EVENTS = ['issue_comment', 'pull_request', 'pull_request_review', 'pull_request_review_comment']

/** What a reviewer needs at least. Resolving threads takes `contents: 'write'` on top: see `graphql.ts`. */
const PERMISSIONS: AppPermissions = {
  metadata: 'read',
  contents: 'read',
  pull_requests: 'write',
  issues: 'write',
  checks: 'write',
}

/** Made once a process: a key takes a tenth of a second. */
const made: { key?: KeyPairKeyObjectResult } = {}

function appKey(): KeyPairKeyObjectResult {
  made.key ??= generateKeyPairSync('rsa', { modulusLength: 2048 })
  return made.key
}

export function createApp(
  createdAt: string,
  { slug = 'kodus', permissions = PERMISSIONS }: { slug?: string; permissions?: AppPermissions },
): TestApp {
  const { publicKey, privateKey } = appKey()
  const webhookSecret = 'a-webhook-secret-of-the-test-server'
  return {
    id: 4_217,
    slug,
    clientId: 'Iv23liTestServer0001',
    clientSecret: 'f'.repeat(40),
    privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }).toString(),
    publicKey,
    webhookSecret,
    permissions: { ...permissions },
    hook: {
      id: 900_000_001,
      events: EVENTS,
      active: true,
      url: '',
      secret: webhookSecret,
      contentType: 'json',
      insecureSsl: '0',
      createdAt,
      updatedAt: createdAt,
    },
    manifests: new Map(),
  }
}

/** What an installation token may do: no more than the App, and no more than it was asked for. */
export function granted(app: TestApp, asked: AppPermissions | undefined): AppPermissions {
  if (!asked) return app.permissions
  const names = Object.keys(asked) as (keyof AppPermissions)[]
  return {
    metadata: app.permissions.metadata,
    ...Object.fromEntries(
      names
        .filter((name) => app.permissions[name])
        .map((name) => [name, app.permissions[name] === 'read' ? 'read' : asked[name]]),
    ),
  }
}
