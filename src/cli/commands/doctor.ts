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
import { checkSettings } from '../doctor/check-settings.ts'
import { checkStops } from '../doctor/check-stops.ts'
import { withGitHubSettings } from '../setup/github-settings.ts'

const CHECKS: [name: string, check: Check][] = [
  ['node', checkNode],
  ['git', checkGit],
  ['native parts', checkNativeParts],
  ['data directory', checkDirectory],
  ['settings', checkSettings],
  ['database', checkDatabase],
  ['stops', checkStops],
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
      // By what they say: a setting that two checks meet is one thing to repair.
      const faults = new Set<string>()
      let notices = 0
      const directory = readDirectory()
      const env = withGitHubSettings(readEnvironment(), directory)
      for (const [name, check] of CHECKS) {
        const { mark, says } = await check(env, directory).then(
          (diagnosis) => {
            if (diagnosis.state === 'notice') notices += 1
            return healthy(diagnosis)
          },
          (thrown) => {
            const error = asKodusError(thrown)
            faults.add(error.message)
            return sick(error)
          },
        )
        console.log(`${mark} ${name.padEnd(16)} ${says}`)
      }
      const toDo = [
        ...(faults.size > 0 ? [`${faults.size} to repair.`] : []),
        ...(notices > 0 ? [`${notices} to know of.`] : []),
      ]
      console.log(`\n${toDo.join(' ') || 'Nothing to do.'}`)
      if (faults.size > 0) process.exitCode = 1
    })
}

function healthy({ state, says }: Diagnosis): { mark: string; says: string } {
  const mark = { ok: paint('green', '✓'), off: paint('dim', '–'), notice: paint('yellow', '!') }[state]
  return { mark, says }
}

function sick(error: KodusError): { mark: string; says: string } {
  return { mark: paint('red', '✗'), says: `${error.code}: ${error.message}\n${' '.repeat(19)}${error.help}` }
}

function paint(color: 'green' | 'dim' | 'yellow' | 'red', text: string): string {
  return process.stdout.isTTY ? styleText(color, text) : text
}
