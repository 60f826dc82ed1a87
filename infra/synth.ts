import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

// `npm run synth`: what ECS is to be given, all of it, without an account or a network: the plain files below infra/ecs,
// the templates of both launch types in both environments, what their hosts hold, and what it costs.

const ROOT = fileURLToPath(new URL('..', import.meta.url))

function run(script: string, ...args: string[]): void {
  const { status } = spawnSync(process.execPath, [script, ...args], { cwd: ROOT, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

run('infra/ecs/write-files.ts')
for (const environment of ['staging', 'production']) {
  for (const launch of ['ec2', 'fargate']) {
    console.log(`\n${environment} on ${launch}`)
    run('infra/cdk/run-cdk.ts', 'synth', '--quiet', '-c', `env=${environment}`, '-c', `launch=${launch}`)
  }
}
console.log()
run('src/cli/main.ts', 'cost')
