import { randomBytes } from 'node:crypto'
import { covers } from '../authorize.ts'
import type { AppPermissions } from '../model/permissions.ts'
import type { Installation, InstallationToken } from '../model/state.ts'
import {
  presentAccount,
  presentApp,
  presentInstallation,
  presentInstallationToken,
} from '../present/accounts.ts'
import { presentRepository } from '../present/repository.ts'
import { notFound, Refusal } from '../refusal.ts'
import type { World } from '../world.ts'
import { created, type Exchange, ok, page, type Route } from './exchange.ts'

/** GitHub's installation tokens live an hour. */
const TOKEN_LIFE_MS = 3_600_000

export const apps: Route[] = [
  {
    operation: 'GET /app',
    access: { kind: 'app' },
    handle: ({ world }) =>
      ok({ ...presentApp(world), installations_count: world.state.installations.length }),
  },
  {
    operation: 'GET /app/installations',
    access: { kind: 'app' },
    handle: (exchange) =>
      page(exchange, exchange.world.state.installations, (each) => presentInstallation(exchange.world, each)),
  },
  {
    operation: 'GET /app/installations/{installation_id}',
    access: { kind: 'app' },
    handle: (exchange) => ok(presentInstallation(exchange.world, installationOf(exchange))),
  },
  {
    operation: 'POST /app/installations/{installation_id}/access_tokens',
    access: { kind: 'app' },
    handle(exchange) {
      const { world, body } = exchange
      const installation = installationOf(exchange)
      if (installation.suspended) throw new Refusal(403, 'This installation has been suspended')
      checkAsked(world, installation, body ?? {})
      const token = createInstallationToken(world, installation, body?.permissions, askedNames(world, body))
      const repositories = token.repositories?.map((name) => {
        const repository = world.state.findRepository(installation.account.login, name)
        return repository && presentRepository(world, repository)
      })
      return created({ ...presentInstallationToken(world, token), ...(repositories && { repositories }) })
    },
  },
  {
    // Any repository may be named here: who is not installed there gets 404.
    operation: 'GET /repos/{owner}/{repo}/installation',
    access: { kind: 'app' },
    handle({ world, params }) {
      const repository = world.state.findRepository(String(params.owner), String(params.repo))
      const installation =
        repository?.installed &&
        world.state.installations.find(({ account }) => account.id === repository.owner.id)
      if (!installation) throw notFound()
      return ok(presentInstallation(world, installation))
    },
  },
  {
    operation: 'GET /installation/repositories',
    access: { kind: 'installation' },
    handle(exchange) {
      const { world, actor } = exchange
      if (actor.kind !== 'installation') throw notFound()
      const covered = [...world.state.repositories.values()].filter((repository) => covers(actor, repository))
      const show = (repository: (typeof covered)[number]) => presentRepository(world, repository)
      return page(exchange, covered, show, (repositories) => ({
        total_count: covered.length,
        repositories,
      }))
    },
  },
  {
    operation: 'POST /app-manifests/{code}/conversions',
    access: { kind: 'anyone' },
    handle({ world, params }) {
      const { app, state } = world
      const manifest = app.manifests.get(String(params.code))
      if (!manifest) throw notFound()
      // A code is good for one conversion.
      app.manifests.delete(String(params.code))
      const { name, default_permissions, default_events, url } = manifest
      return created({
        ...presentApp(world),
        name: name ?? app.slug,
        external_url: url,
        owner: presentAccount(world, state.account('app-owner', 'Organization')),
        permissions: default_permissions ?? {},
        events: default_events ?? [],
        client_id: app.clientId,
        client_secret: app.clientSecret,
        webhook_secret: app.webhookSecret,
        pem: app.privateKey,
      })
    },
  },
]

export function createInstallationToken(
  world: World,
  installation: Installation,
  permissions?: AppPermissions,
  repositories?: string[],
): InstallationToken {
  const token: InstallationToken = {
    kind: 'installation',
    token: `ghs_${randomBytes(18).toString('hex')}`,
    installation,
    ...(permissions && { permissions }),
    ...(repositories && { repositories }),
    expiresAt: new Date(world.clock.now().getTime() + TOKEN_LIFE_MS),
  }
  world.state.tokens.set(token.token, token)
  return token
}

function installationOf({ world, params }: Exchange): Installation {
  const installation = world.state.installations.find(({ id }) => id === Number(params.installation_id))
  if (!installation) throw notFound()
  return installation
}

interface Asked {
  permissions?: AppPermissions
  repositories?: string[]
  repository_ids?: number[]
}

function checkAsked(world: World, installation: Installation, asked: Asked): void {
  for (const [name, access] of Object.entries(asked.permissions ?? {})) {
    const had = world.app.permissions[name as keyof AppPermissions]
    if (had !== 'write' && had !== access) {
      throw new Refusal(422, 'The permissions requested are not granted to this installation.')
    }
  }
  for (const name of askedNames(world, asked) ?? []) {
    if (!world.state.findRepository(installation.account.login, name)?.installed) {
      throw new Refusal(
        422,
        'There is at least one repository that does not exist or is not accessible to the parent installation.',
      )
    }
  }
}

function askedNames(world: World, asked: Asked | undefined): string[] | undefined {
  if (asked?.repositories) return asked.repositories
  const all = [...world.state.repositories.values()]
  return asked?.repository_ids?.map((id) => all.find((repository) => repository.id === id)?.name ?? '')
}
