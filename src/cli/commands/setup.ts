import { type Command, InvalidArgumentError, Option } from 'commander'
import { setUpGitHub } from '../setup/set-up-github.ts'
import type { GitHubSetupOptions } from '../setup/setup-options.ts'

export function addSetup(program: Command): void {
  const setup = program.command('setup').description('connect a forge')

  setup
    .command('github')
    .description('connect GitHub: make an App for it, or use a token')
    .option('--token', 'use the token in GITHUB_TOKEN (or typed in) instead of making an App')
    .option('--organisation <login>', 'the organisation that is to own the App; else you do')
    .option('--name <name>', "the App's name, unique at GitHub, at most 34 characters", 'kodus-review')
    .option('--webhook-url <url>', 'the public address of the webhook handler, as GitHub is to call it')
    .option('--poll', 'ask GitHub every minute instead of receiving webhooks; needs --allow owner/name,…')
    .option(
      '--allow <owners and repositories>',
      'the only ones that are worked for: acme,acme/api (no spaces); required with --token and --poll',
      (list: string, before: string[]) => [...before, ...splitList(list)],
      [],
    )
    .addOption(
      new Option('--outside <policy>', 'changes from forks, and of people who may not write')
        .choices(['wait', 'review', 'ignore'])
        .default('wait'),
    )
    .option('--no-resolve-threads', 'do without `contents: write`, which GitHub asks for to resolve threads')
    .option('--port <port>', 'of the page on this machine that makes the App; 0: any', parsePort, 0)
    .option('--force', 'connect anew, although GitHub is connected; what there was is kept beside it')
    .addHelpText(
      'after',
      '\nSettings go to .kodus/github.env, the App’s key beside it, both readable by you alone and ignored by\ngit. `npm start` reads them. GitHub Enterprise Server: set GITHUB_API_URL=https://<host>/api/v3.',
    )
    .action((options: GitHubSetupOptions) => setUpGitHub(options))
}

function splitList(list: string): string[] {
  return list
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
}

function parsePort(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}
