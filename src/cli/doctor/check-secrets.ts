import type { Check } from './check.ts'

/** A forge without a secret is off and says so; none of them has a default. */
export const checkSecrets: Check = async (env) => {
  const forges = [
    ['github', env.GITHUB_WEBHOOK_SECRET],
    ['git', env.GIT_WEBHOOK_SECRET],
  ].map(([forge, secret]) => `${forge} ${secret ? 'on' : 'off'}`)
  return {
    state: env.GITHUB_WEBHOOK_SECRET || env.GIT_WEBHOOK_SECRET ? 'ok' : 'off',
    says: forges.join(', '),
  }
}
