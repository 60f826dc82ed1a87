import { EVENTS, type Permission } from './permissions.ts'

/** What GitHub makes an App of: https://docs.github.com/apps/sharing-github-apps/registering-a-github-app-from-a-manifest */
export interface AppManifest {
  name: string
  url: string
  description: string
  redirect_url: string
  public: false
  default_permissions: Record<string, string>
  default_events?: readonly string[]
  hook_attributes?: { url: string; active: true }
}

/**
 * The manifest of the App. It is private: only the account that owns it can install it, so that no stranger
 * can have changes reviewed at the team's cost.
 *
 * @param webhookUrl undefined where GitHub cannot reach us. GitHub then wants neither the hook's attributes
 *   (it refuses a manifest that has them without a URL) nor events
 */
export function appManifest({
  name,
  redirectUrl,
  webhookUrl,
  permissions,
}: {
  name: string
  redirectUrl: string
  webhookUrl: string | undefined
  permissions: readonly Permission[]
}): AppManifest {
  return {
    name,
    url: 'https://github.com/kodustech/kodus-ai',
    description: 'Self-hosted AI code review.',
    redirect_url: redirectUrl,
    public: false,
    default_permissions: Object.fromEntries(permissions.map(({ name, access }) => [name, access])),
    ...(webhookUrl ? { default_events: EVENTS, hook_attributes: { url: webhookUrl, active: true } } : {}),
  }
}
