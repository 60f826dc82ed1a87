import { resolve } from 'node:path'
import { readGitHubAddress } from '../../forges/github/config.ts'
import { KodusError } from '../../lib/errors.ts'
import { readDirectory, readEnvironment } from '../config.ts'
import { checkCanSave, type GitHubSettings, readGitHubSettings } from './github-settings.ts'
import { makeApp } from './make-app.ts'
import { checkOptions, type GitHubSetupOptions } from './setup-options.ts'
import { useToken } from './use-token.ts'

/**
 * Connects GitHub: makes an App (or checks a token), and keeps what the components need in the directory of
 * this machine. Nothing is written before GitHub has said yes.
 *
 * @throws KodusError SETUP_INCOMPLETE, SETUP_EXISTS, SETUP_UNWRITABLE, or why GitHub said no
 */
export async function setUpGitHub(options: GitHubSetupOptions): Promise<void> {
  const shell = readEnvironment()
  const directory = resolve(readDirectory())
  const earlier = readGitHubSettings(directory)
  const caFile = shell.GITHUB_CA_FILE ?? earlier.GITHUB_CA_FILE
  const where = {
    GITHUB_API_URL: shell.GITHUB_API_URL ?? earlier.GITHUB_API_URL,
    GITHUB_CA_FILE: caFile && resolve(caFile),
  }
  const env = { ...shell, ...where }
  const { apiUrl, gitOrigin } = readGitHubAddress(env)
  checkOptions(options, apiUrl)
  checkReplaces(options, earlier, directory)
  const common = {
    ...where,
    GITHUB_REPOSITORIES: options.allow.join(',') || undefined,
    GITHUB_OUTSIDE_CHANGES: options.outside,
    GITHUB_POLL_SECONDS: options.poll ? '60' : undefined,
  }
  checkCanSave(directory, common)
  console.log(`GitHub is ${gitOrigin}, its API ${apiUrl}.\n`)

  const setup = { options, directory, env, earlier, common }
  await (options.token ? useToken(setup) : makeApp(setup))

  if (options.allow.length === 0) {
    console.log(
      'Every repository that the App is installed on is reviewed. --allow narrows it to owners and repositories.',
    )
  }
  console.log('\nNext: `npm start` (again, if it runs), then `npm run kodus -- doctor`, which asks GitHub')
  console.log('whether all of it works. Installed as a package: `kodus up`, `kodus doctor`.')
}

/** A new token may take the place of a token. An App is not let go of without being told to. */
function checkReplaces(
  { token, force }: GitHubSetupOptions,
  earlier: GitHubSettings,
  directory: string,
): void {
  if (force || (!earlier.GITHUB_APP_ID && !earlier.GITHUB_TOKEN)) return
  if (token && !earlier.GITHUB_APP_ID) return
  const connected = earlier.GITHUB_APP_ID ? `as App ${earlier.GITHUB_APP_ID}` : 'with a token'
  throw new KodusError('SETUP_EXISTS', `GitHub is connected already, ${connected}.`, {
    help: `To change the allowlist or a policy, edit github.env in ${directory}. To connect anew, add --force: the earlier settings and key are kept beside the new ones, and the earlier App stays at GitHub until you delete it there.`,
  })
}
