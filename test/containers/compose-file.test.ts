import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { parseEnv } from 'node:util'
import { parse } from 'yaml'
import { readGitHubSettings } from '../../infra/compose/github-settings.ts'
import { generateSettings, missingSettings, readSettings } from '../../infra/compose/settings-file.ts'
import { variables as api } from '../../src/api-rest/config.ts'
import { COMPONENTS, type ComponentType, CPU_UNITS_PER_VCPU } from '../../src/components.ts'
import type { Variables } from '../../src/lib/env.ts'
import { variables as webhook } from '../../src/webhook-handler/config.ts'
import { variables as worker } from '../../src/worker/config.ts'

interface Service {
  image: string
  cpus: number
  mem_limit: string
  stop_grace_period: string
  ports?: string[]
  environment: Record<string, string>
  [key: string]: unknown
}

const text = readFileSync('infra/compose/compose.yaml', 'utf8')
const { services } = parse(text, { merge: true }) as { services: Record<string, Service> }
const READ: Record<ComponentType, Variables> = { webhook, api, worker }
const TYPES = Object.keys(COMPONENTS) as ComponentType[]

function serviceOf(type: ComponentType): Service {
  const service = services[COMPONENTS[type].name]
  assert.ok(service, `compose.yaml has ${COMPONENTS[type].name}`)
  return service
}

describe('compose.yaml', () => {
  test('gives each component what the table says: size, time to stop, port', () => {
    for (const type of TYPES) {
      const { task, stop, ...facts } = COMPONENTS[type]
      const { cpus, mem_limit, stop_grace_period, ports = [] } = serviceOf(type)
      assert.deepEqual(
        { cpus, mem_limit, stop_grace_period, ports: ports.map((each) => Number(each.split(':').at(-1))) },
        {
          cpus: task.cpuUnits / CPU_UNITS_PER_VCPU,
          mem_limit: `${task.memoryMb}m`,
          stop_grace_period: `${stop.grantedSeconds}s`,
          ports: 'http' in facts ? [facts.http.port] : [],
        },
        type,
      )
    }
  })

  test('names the images of this version', () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    for (const type of TYPES) {
      assert.equal(serviceOf(type).image, `kodus-ai/${COMPONENTS[type].name}:\${KODUS_VERSION:-${version}}`)
    }
  })

  test('tells each component only what it reads, and no secret to one that has no use for it', () => {
    for (const type of TYPES) {
      const told = Object.keys(serviceOf(type).environment)
      assert.deepEqual(
        told.filter((name) => !(name in READ[type])),
        [],
        type,
      )
    }
  })

  test('leaves no secret out that a component could be given', () => {
    for (const type of TYPES) {
      const { environment } = serviceOf(type)
      const secrets = Object.entries(READ[type]).filter(([, { secret }]) => secret)
      assert.deepEqual(
        secrets.map(([name]) => name).filter((name) => !(name in environment)),
        [],
        type,
      )
    }
  })

  test('has no default for a secret', () => {
    const secrets = new Set(
      TYPES.flatMap((type) => Object.entries(READ[type])).flatMap(([name, { secret }]) =>
        secret ? [name] : [],
      ),
    )
    const withDefault = [...text.matchAll(/\$\{(\w+):?-([^}]+)\}/g)].map(([, name = '']) => name)
    assert.ok(withDefault.length > 0)
    assert.deepEqual(
      withDefault.filter((name) => secrets.has(name) || /PASSWORD|SECRET|TOKEN|KEY/.test(name)),
      [],
    )
  })

  test('opens no port to the network unless it is told to', () => {
    const ports = Object.values(services).flatMap(({ ports = [] }) => ports)
    assert.equal(ports.length, 4)
    for (const each of ports) assert.match(each, /^(127\.0\.0\.1|\$\{\w+:-127\.0\.0\.1\}):/)
  })

  test('lets a component write to nothing but memory and its volume, and gain no privilege', () => {
    for (const type of TYPES) {
      const { read_only, cap_drop, security_opt, restart } = serviceOf(type)
      assert.deepEqual(
        { read_only, cap_drop, security_opt, restart },
        {
          read_only: true,
          cap_drop: ['ALL'],
          security_opt: ['no-new-privileges:true'],
          restart: 'unless-stopped',
        },
      )
    }
  })
})

describe("an installation's settings", () => {
  test('are made once, at random, readable by their owner alone', (t) => {
    const [one, other] = [temporaryFile(t), temporaryFile(t)]
    for (const file of [one, other]) generateSettings(file, missingSettings(readSettings(file)))
    assert.equal(statSync(one).mode & 0o777, 0o600)
    const settings = readSettings(one)
    assert.deepEqual(missingSettings(settings), [])
    for (const [name, value] of Object.entries(settings)) {
      assert.ok(value && value.length >= 32, name)
      assert.notEqual(value, readSettings(other)[name])
    }
  })

  test('keep what is there when one is missing', (t) => {
    const file = temporaryFile(t)
    const own = '# mine\nPOSTGRES_PASSWORD=chosen\nLLM_MODEL=m' // No end of line: an editor may leave none.
    writeFileSync(file, own)
    generateSettings(file, missingSettings(readSettings(file)))
    const written = readFileSync(file, 'utf8')
    assert.ok(written.startsWith(`${own}\n`))
    assert.deepEqual(missingSettings(parseEnv(written)), [])
    assert.equal(readSettings(file).LLM_MODEL, 'm')
  })

  test('include what GitHub was set up with, the key itself instead of the name of its file', (t) => {
    const key = temporaryFile(t)
    writeFileSync(key, 'the key\n')
    const file = temporaryFile(t)
    writeFileSync(file, `GITHUB_APP_ID='7'\nGITHUB_APP_PRIVATE_KEY_FILE='${key}'\n`)
    assert.deepEqual(readGitHubSettings(file), {
      GITHUB_APP_ID: '7',
      GITHUB_APP_PRIVATE_KEY: Buffer.from('the key\n').toString('base64'),
    })
    assert.deepEqual(readGitHubSettings(`${file}-not-there`), {})
  })
})

function temporaryFile(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kodus-settings-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return path.join(directory, 'settings')
}
