import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { describe, test } from 'node:test'
import { CDK, newDirectory } from './synthesise.ts'

describe('npm run cdk', () => {
  test('synthesises without an account and without a network, and says what the hosts hold', () => {
    const outdir = newDirectory()
    const { status, stderr } = cdk('synth', '--quiet', '--output', outdir, '-c', 'env=production')
    assert.equal(status, 0, stderr)
    assert.match(
      stderr,
      /3 × t3\.xlarge hold 2\/3\/5 and one more of any component during an update; at most 20 /,
    )
    assert.ok(readdirSync(outdir).includes('kodus-production-ec2.template.json'))
  })

  test('fails with what does fit when the tasks do not fit the hosts', () => {
    const { status, stderr } = cdk(
      'synth',
      '--output',
      newDirectory(),
      '-c',
      'env=production',
      '-c',
      'hosts=1',
    )
    assert.notEqual(status, 0)
    assert.match(stderr, /HOSTS_TOO_FEW: 1 × t3\.xlarge do not hold 2\/3\/5.* They hold 1\/1\/1/)
  })
})

/** With nothing that leads to AWS, and proxies that lead nowhere. */
function cdk(...args: string[]) {
  const nowhere = 'http://127.0.0.1:9'
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS|CDK)_/.test(name))
  const env = {
    AWS_EC2_METADATA_DISABLED: 'true',
    HTTP_PROXY: nowhere,
    HTTPS_PROXY: nowhere,
    HOME: newDirectory(),
  }
  return spawnSync(process.execPath, [`${CDK}run-cdk.ts`, ...args], {
    encoding: 'utf8',
    env: { ...Object.fromEntries(kept), ...env },
  })
}
