import { spawnSync } from 'node:child_process'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installCdk } from './install-cdk.ts'

// `npm run cdk -- synth|diff|deploy …`: the CDK on the project's Node. Everything is passed on.

const cdk = installCdk()
const { status } = spawnSync(process.execPath, [cdk, ...process.argv.slice(2)], {
  cwd: fileURLToPath(new URL('.', import.meta.url)),
  stdio: 'inherit',
  env: {
    ...process.env,
    // cdk.json says `node`: this one.
    PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? ''}`,
    CDK_DISABLE_CLI_TELEMETRY: 'true',
  },
})
process.exit(status ?? 1)
