import { styleText } from 'node:util'
import type { Command } from 'commander'
import { asKodusError, type KodusError } from '../../lib/errors.ts'
import { readDirectory, readEnvironment } from '../config.ts'
import type { Check, Diagnosis } from '../doctor/check.ts'
import { checkDatabase } from '../doctor/check-database.ts'
import { checkDirectory } from '../doctor/check-directory.ts'
import { checkGit } from '../doctor/check-git.ts'
import { checkGitHub } from '../doctor/check-github.ts'
import { checkModel } from '../doctor/check-model.ts'
import { checkNativeParts } from '../doctor/check-native-parts.ts'
import { checkNode } from '../doctor/check-node.ts'
import { checkQueue } from '../doctor/check-queue.ts'
import { checkSecrets } from '../doctor/check-secrets.ts'
import { withGitHubSettings } from '../setup/github-settings.ts'

const CHECKS: [name: string, check: Check][] = [
  ['node', checkNode],
  ['git', checkGit],
  ['native parts', checkNativeParts],
  ['data directory', checkDirectory],
  ['database', checkDatabase],
  ['queue', checkQueue],
  ['webhook secrets', checkSecrets],
  ['github', checkGitHub],
  ['model', checkModel],
]

export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .description('check this installation and say what to do')
    .action(async () => {
      let failed = 0
      const directory = readDirectory()
      const env = withGitHubSettings(readEnvironment(), directory)
      for (const [name, check] of CHECKS) {
        const line = await check(env, directory).then(healthy, (error) => {
          failed += 1
          return sick(asKodusError(error))
        })
        console.log(`${line.mark} ${name.padEnd(16)} ${line.says}`)
      }
      console.log(failed === 0 ? '\nNothing to do.' : `\n${failed} to repair.`)
      if (failed > 0) process.exitCode = 1
    })
}

function healthy({ state, says }: Diagnosis): { mark: string; says: string } {
  return { mark: state === 'ok' ? paint('green', '✓') : paint('dim', '–'), says }
}

function sick(error: KodusError): { mark: string; says: string } {
  return { mark: paint('red', '✗'), says: `${error.code}: ${error.message}\n${' '.repeat(19)}${error.help}` }
}

function paint(color: 'green' | 'dim' | 'red', text: string): string {
  return process.stdout.isTTY ? styleText(color, text) : text
}
