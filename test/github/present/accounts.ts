import type { Account, Author, Installation, InstallationToken } from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import { granted, type World } from '../world.ts'

/** A `simple-user`. */
export function presentAccount(world: World, account: Account) {
  const { id, login, type } = account
  const path = type === 'Bot' ? `apps/${login.replace('[bot]', '')}` : login
  return {
    id,
    login,
    type,
    node_id: nodeId(type, id),
    site_admin: false,
    url: `${world.origin}/api/v3/users/${encodeURIComponent(login)}`,
    html_url: `${world.origin}/${path}`,
    avatar_url: `${world.origin}/avatars/${id}`,
  }
}

/** The App, as others see it. */
export function presentApp(world: World) {
  const { app, origin } = world
  return {
    id: app.id,
    slug: app.slug,
    client_id: app.clientId,
    name: app.slug,
    node_id: `A_${app.id}`,
    owner: presentAccount(world, world.state.account('app-owner', 'Organization')),
    description: null,
    external_url: origin,
    html_url: `${origin}/apps/${app.slug}`,
    created_at: app.hook.createdAt,
    updated_at: app.hook.updatedAt,
    permissions: app.permissions,
    events: app.hook.events,
  }
}

/** `performed_via_github_app`, which is there only if so. */
export function presentVia(world: World, author: Author) {
  return author.viaApp ? presentApp(world) : null
}

export function presentInstallation(world: World, installation: Installation) {
  const { app, origin } = world
  const all = [...world.state.repositories.values()]
  const excluded = all.some(({ owner, installed }) => owner.id === installation.account.id && !installed)
  return {
    id: installation.id,
    account: presentAccount(world, installation.account),
    repository_selection: excluded ? 'selected' : 'all',
    access_tokens_url: `${origin}/api/v3/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${origin}/api/v3/installation/repositories`,
    html_url: `${origin}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    client_id: app.clientId,
    target_id: installation.account.id,
    target_type: installation.account.type,
    permissions: app.permissions,
    events: app.hook.events,
    created_at: installation.createdAt,
    updated_at: installation.createdAt,
    suspended_at: installation.suspended ? installation.createdAt : null,
    suspended_by: null,
    single_file_name: null,
  }
}

export function presentInstallationToken(world: World, token: InstallationToken) {
  return {
    token: token.token,
    expires_at: token.expiresAt.toISOString().replace(/\.\d+/, ''),
    permissions: granted(world.app, token.permissions),
    repository_selection: token.repositories ? 'selected' : 'all',
  }
}
