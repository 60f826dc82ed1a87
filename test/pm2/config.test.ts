import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { keptOfShell } from '../../infra/pm2/kept-of-shell.ts'
import { variables as api } from '../../src/api-rest/config.ts'
import { COMPONENTS, type ComponentFacts } from '../../src/components.ts'
import { variables as webhook } from '../../src/webhook-handler/config.ts'
import { variables as worker } from '../../src/worker/config.ts'

interface App {
  name: string
  exec_mode: string
  instances: number
  max_memory_restart: string
  kill_timeout: number
  node_args: string[]
  env: Record<string, string>
}

const { apps } = createRequire(import.meta.url)('../../infra/pm2/ecosystem.config.cjs') as { apps: App[] }

test('PM2 is told what the table of components says', () => {
  const told = apps.map(({ name, instances, max_memory_restart, kill_timeout, node_args, env }) => ({
    type: env.COMPONENT_TYPE,
    name,
    instances,
    max_memory_restart,
    kill_timeout,
    node_args,
  }))
  const facts: [string, ComponentFacts][] = Object.entries(COMPONENTS)
  assert.deepEqual(
    told,
    facts.map(([type, { name, pm2, stop, nodeOptions }]) => ({
      type,
      name,
      instances: pm2.instances,
      max_memory_restart: `${pm2.memoryMb}M`,
      kill_timeout: stop.grantedSeconds * 1000,
      node_args: nodeOptions,
    })),
  )
  assert.deepEqual(
    apps.map(({ name, exec_mode, instances, max_memory_restart }) => [
      name,
      exec_mode,
      instances,
      max_memory_restart,
    ]),
    [
      ['webhook-handler', 'cluster', 2, '200M'],
      ['api-rest', 'cluster', 1, '500M'],
      ['worker', 'fork', 1, '800M'],
    ],
  )
})

test('a component has stopped by itself, with ten seconds to spare, before PM2 kills it', () => {
  const goesOnSeconds = [
    webhook.WEBHOOK_DRAIN_SECONDS.default,
    api.API_DRAIN_SECONDS.default,
    worker.WORKER_GRACE_SECONDS.default,
  ].map(Number)
  for (const [index, { name, kill_timeout }] of apps.entries()) {
    assert.ok(kill_timeout >= ((goesOnSeconds[index] ?? 0) + 10) * 1000, name)
  }
})

test('of the shell, PM2 passes on nothing that is a setting or may be a secret', () => {
  const shell = {
    PATH: '/bin',
    HOME: '/home/kodus',
    DATABASE_URL: 'postgresql://kodus:secret@db/kodus',
    GITHUB_TOKEN: 'secret',
    npm_config__authToken: 'secret',
    NODE_OPTIONS: '--inspect',
  }
  assert.deepEqual(keptOfShell(shell), { PATH: '/bin', HOME: '/home/kodus' })
})
