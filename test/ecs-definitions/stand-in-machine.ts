import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'

const SCRIPT = path.resolve('infra/ecs/register-instance.sh')

/** What the commands say and do; `$STATE` holds what is installed and runs, `$CONFIG` is the agent's file, `$CALLS` what was called. */
const COMMANDS: Record<string, string> = {
  id: 'echo "$MACHINE_USER"',
  uname: 'echo x86_64',
  systemctl: `case $1 in
      cat) test -e "$STATE/unit-\${2%.service}" ;;
      is-enabled | is-active) test -e "$STATE/runs-$3" ;;
      enable) touch "$STATE/runs-\${@: -1}" ;;
    esac`,
  dnf: 'touch "$STATE/unit-docker" "$STATE/unit-ecs"',
  'amazon-linux-extras': '[ "$1" = disable ] || touch "$STATE/unit-docker" "$STATE/unit-ecs"',
  'apt-get': `case \${@: -1} in
      docker.io) touch "$STATE/unit-docker" ;;
      # Debian starts it at once, so its settings have to be there.
      *.deb) test -s "$CONFIG" && touch "$STATE/unit-ecs" ;;
    esac`,
  docker: 'test -e "$STATE/runs-docker"',
  curl: `case \${@: -1} in
      */api/token) echo token ;;
      */security-credentials/) echo "$MACHINE_ROLE" ;;
      */placement/region) echo eu-west-1 ;;
    esac`,
}
/** Calls that change nothing. */
const READS = /^(id|uname|docker info|systemctl (cat|is-\w+)|curl .*169\.254\.169\.254)\b/

export interface Machine {
  /** Below which it has /etc. */
  root: string
  config: string
  run(...options: string[]): { exitCode: number | null; output: string }
  /** What was called that changes something, since the last time this was asked. */
  changes(): string[]
  /** Every file below root, with what is in it. */
  files(): Record<string, string>
}

export interface MachineOptions {
  system?: string
  user?: string
  role?: string
  config?: string
  /** Units that it has already. */
  units?: string[]
}

/** A machine of which the commands that would change it are stand-ins: they write down that they were called. */
export function standInMachine(t: TestContext, options: MachineOptions = {}): Machine {
  const { system = 'ID="amzn"\nVERSION_ID="2023"\n', user = '0', role = 'instance-role' } = options
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-machine-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const [root, bin, state] = ['root', 'bin', 'state'].map((name) => path.join(directory, name)) as [
    string,
    string,
    string,
  ]
  const calls = path.join(directory, 'calls')
  const config = path.join(root, 'etc/ecs/ecs.config')
  for (const each of [bin, state, path.dirname(config)]) mkdirSync(each, { recursive: true })
  for (const [name, does] of Object.entries(COMMANDS)) {
    const text = `#!/usr/bin/env bash\necho "${name} $*" >> "$CALLS"\n${does}\n`
    writeFileSync(path.join(bin, name), text, { mode: 0o755 })
  }
  writeFileSync(path.join(root, 'etc/os-release'), system)
  if (options.config !== undefined) writeFileSync(config, options.config)

  for (const unit of options.units ?? []) writeFileSync(path.join(state, `unit-${unit}`), '')

  const env = {
    PATH: `${bin}:/usr/bin:/bin`,
    CALLS: calls,
    STATE: state,
    CONFIG: config,
    MACHINE_USER: user,
    MACHINE_ROLE: role,
  }
  return {
    root,
    config,
    run: (...args) => {
      const { status, stdout, stderr } = spawnSync('bash', [SCRIPT, '--root', root, ...args], {
        env,
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      return { exitCode: status, output: stdout + stderr }
    },
    changes: () => {
      const lines = existsSync(calls) ? readFileSync(calls, 'utf8').split('\n') : []
      rmSync(calls, { force: true })
      return lines.filter((line) => line !== '' && !READS.test(line))
    },
    files: () => {
      const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((each) =>
        each.isFile(),
      )
      const paths = files.map(({ parentPath, name }) => path.join(parentPath, name))
      return Object.fromEntries(paths.map((file) => [path.relative(root, file), readFileSync(file, 'utf8')]))
    },
  }
}
