import { randomBytes } from 'node:crypto'
import { createGitHubClient } from '../../forges/github/client.ts'
import { readGitHubConfig } from '../../forges/github/config.ts'
import { KodusError } from '../../lib/errors.ts'
import { silentLog } from '../../lib/log.ts'
import { ensureHook } from './ensure-hook.ts'
import { inspectRepository } from './inspect-repository.ts'
import { readSecret } from './read-secret.ts'
import { keep, type Setup } from './setup.ts'

/**
 * Connects with a token: asks GitHub whether it can do the work in every listed repository and, where webhooks
 * are wanted, sees that each has one.
 */
export async function useToken({ options, directory, env, earlier, common }: Setup): Promise<void> {
  if (env.GITHUB_TOKEN) console.log('Using the token in GITHUB_TOKEN.')
  const token = env.GITHUB_TOKEN ?? (await readSecret('GitHub token (not shown): '))
  const { webhookUrl } = options
  const secret = webhookUrl && (earlier.GITHUB_WEBHOOK_SECRET ?? randomBytes(32).toString('hex'))
  const settings = { ...common, GITHUB_TOKEN: token, GITHUB_WEBHOOK_SECRET: secret }
  const noApp = {
    GITHUB_APP_ID: undefined,
    GITHUB_APP_PRIVATE_KEY: undefined,
    GITHUB_APP_PRIVATE_KEY_FILE: undefined,
  }
  const config = readGitHubConfig({ ...env, ...settings, ...noApp })
  if (!config) {
    throw new KodusError('SETUP_INCOMPLETE', 'No token was given.', {
      help: 'Set GITHUB_TOKEN, or type it when asked.',
    })
  }
  const client = createGitHubClient(config, { log: silentLog })
  const repositories = config.repositories.filter((entry) => entry.includes('/'))
  const { login } = await client.identity('')
  // All are looked at before anything is made in one of them.
  for (const repository of repositories) {
    const { kind } = await inspectRepository(client, repository)
    const unknown =
      kind === 'fine-grained' ? '; whether the token may write pull requests, GitHub does not tell' : ''
    console.log(`  ${repository}: can be read, and ${login} may write there${unknown}`)
  }
  if (webhookUrl && secret) {
    for (const repository of repositories) {
      console.log(`  ${repository}: ${await ensureHook(client, repository, { url: webhookUrl, secret })}`)
    }
  }
  console.log(`\nReviews will appear in the name of ${login}.`)
  keep(directory, settings)
  console.log('A token has no check runs: the review and the summary comment are what people see.')
}
