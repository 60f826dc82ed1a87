import type { Environment } from '../../lib/env.ts'
import { type GitHubSettings, saveGitHubSettings } from './github-settings.ts'
import type { GitHubSetupOptions } from './setup-options.ts'

/** What making an App and using a token work with. */
export interface Setup {
  options: GitHubSetupOptions
  /** Absolute: components may run elsewhere. */
  directory: string
  /** Where GitHub is and how it is reached, without any credentials. */
  env: Environment
  earlier: GitHubSettings
  /** Settings that do not depend on whether it is an App or a token. */
  common: GitHubSettings
}

/** Keeps the settings, and says where. */
export function keep(directory: string, settings: GitHubSettings): void {
  const { file, earlier } = saveGitHubSettings(directory, settings)
  console.log(`Settings: ${file}${earlier ? `; the earlier ones: ${earlier}` : ''}`)
}
