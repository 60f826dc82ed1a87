import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { readSettings } from '../../infra/cdk/settings/settings.ts'

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:kodus-AbCdEf'
const NETWORK = {
  vpc: 'vpc-12345678',
  vpcCidr: '10.0.0.0/16',
  publicSubnets: 'subnet-11111111,subnet-22222222',
  privateSubnets: 'subnet-33333333,subnet-44444444',
}
const EVERY =
  /no setting lunch.* There are .*alarmEmail, .*env, .*hosts, .*instance, .*machineSecurityGroup, .*maxHosts, .*spot, .*vpc, /
const PRODUCTION = { env: 'production', launch: 'fargate' }

describe('the settings of an installation', () => {
  test('environment and launch type are enough', () => {
    for (const env of ['staging', 'production']) {
      for (const launch of ['ec2', 'fargate']) assert.equal(readSettings({ env, launch }).environment, env)
    }
    assert.equal(readSettings({}).launch, 'ec2')
  })

  const refused: [string, Record<string, unknown>, string, RegExp][] = [
    ['an environment that does not exist', { env: 'test' }, 'SETTING_INVALID', /staging, production/],
    ['a launch type that does not exist', { launch: 'lambda' }, 'SETTING_INVALID', /ec2, fargate/],
    ['a setting that does not exist', { lunch: 'ec2' }, 'SETTING_UNKNOWN', EVERY],
    [
      'a host that nobody sells, also where there are none',
      { ...PRODUCTION, instance: 'big' },
      'SETTING_INVALID',
      /big/,
    ],
    ['hosts that are too few', { env: 'production', hosts: '1' }, 'HOSTS_TOO_FEW', /They hold 1\/1\/1/],
    ['a count of none', { counts: '0/1/1' }, 'SETTING_INVALID', /1\/1\/1/],
    [
      'more tasks than the most',
      { ...PRODUCTION, counts: '3/3/3', max: '2/3/3' },
      'SETTING_INVALID',
      /more than/,
    ],
    ['a half host', { hosts: '1.5' }, 'SETTING_INVALID', /whole number/],
    ['one zone', { zones: 'us-east-1a' }, 'SETTING_INVALID', /two/],
    ['a machine type of which nothing is known', { instance: 't2.micro' }, 'SETTING_INVALID', /t3\.xlarge/],
    ['an API for everybody', { apiFrom: '0.0.0.0/0' }, 'SETTING_INVALID', /everybody/],
    ['a weight beyond 999', { weights: 'ec2:5000' }, 'SETTING_INVALID', /0 to 999/],
    ['weights for nobody', { weights: 'ec2:0' }, 'SETTING_INVALID', /nobody/],
    ['weights without where tasks are', { weights: 'fargate:1' }, 'SETTING_INVALID', /fargate:1,ec2:0/],
    ['PM2 without its machine', { weights: 'pm2:1,ec2:0' }, 'SETTING_INVALID', /pm2Machine/],
    ['a network without subnets', { vpc: 'vpc-12345678' }, 'SETTING_INVALID', /publicSubnets/],
    [
      'registered machines without their network',
      { machines: 'registered', machineSecurityGroup: 'sg-12345678', counts: '1/1/1' },
      'SETTING_INVALID',
      /vpc is missing with machines=registered.* -c vpcCidr/,
    ],
    [
      "PM2's machine without its network",
      { pm2Machine: 'i-12345678', weights: 'pm2:1,ec2:0' },
      'SETTING_INVALID',
      /vpc is missing with pm2Machine.* -c vpcCidr/,
    ],
    [
      'registered machines without their group',
      { ...NETWORK, machines: 'registered', counts: '1/1/1' },
      'SETTING_INVALID',
      /machineSecurityGroup/,
    ],
    [
      "PM2's machine without its group",
      { ...NETWORK, pm2Machine: 'i-12345678', weights: 'pm2:1,ec2:0' },
      'SETTING_INVALID',
      /machineSecurityGroup is missing with pm2Machine/,
    ],
    [
      'a broker type that RabbitMQ 4 does not run on',
      { brokerInstance: 'mq.m5.large' },
      'SETTING_INVALID',
      /m7g/,
    ],
    ['a zone without names', { hostedZone: 'Z1/example.org' }, 'SETTING_INVALID', /webhookDomain/],
  ]
  for (const [what, context, code, words] of refused) {
    test(`${what} is refused`, () => {
      assert.throws(
        () => readSettings(context),
        (error: Error & { code: string; help: string }) => {
          assert.equal(error.code, code)
          assert.match(`${error.message} ${error.help}`, words)
          return true
        },
      )
    })
  }

  test('one list serves clusters of both launch types', () => {
    const { launch, ...list } = {
      ...PRODUCTION,
      machines: 'registered',
      hosts: '2',
      maxHosts: '3',
      spot: 'yes',
    }
    const { hosts, spot } = readSettings({ ...list, launch })
    assert.deepEqual([hosts, spot], [undefined, true])
    const machine = { ...NETWORK, machineSecurityGroup: 'sg-12345678', counts: '1/1/1' }
    const beside = readSettings({ ...list, ...machine, launch: 'ec2' })
    assert.deepEqual([beside.hosts?.hosts, beside.spot], [2, false])
  })

  test('variables are given by their own names, those that are secret by their ARN', () => {
    const { variables, secrets } = readSettings({ LLM_MODEL: 'small', LLM_API_KEY: SECRET })
    assert.deepEqual(
      { variables, secrets },
      { variables: { LLM_MODEL: 'small' }, secrets: { LLM_API_KEY: SECRET } },
    )
  })

  test('a secret itself is refused, and not repeated', () => {
    assert.throws(
      () => readSettings({ LLM_API_KEY: 'sk-very-secret' }),
      (error: Error & { code: string }) =>
        error.code === 'SETTING_INVALID' && !/very-secret/.test(error.message),
    )
  })

  test("CDK's own context is left alone", () => {
    assert.doesNotThrow(() => readSettings({ 'aws:cdk:enable-path-metadata': true, '@aws-cdk/core:x': true }))
  })

  test('hosts begin with the least counts, as scaling does, and go as far as the environment', () => {
    const of = (env: string) => readSettings({ env, launch: 'ec2' })
    assert.deepEqual(of('production').counts.min, { webhook: 2, api: 3, worker: 5 })
    assert.deepEqual([of('production').hosts?.hosts, of('production').hosts?.maxHosts], [3, 20])
    assert.deepEqual([of('staging').hosts?.hosts, of('staging').hosts?.maxHosts], [3, 5])
  })

  test('one registered machine with PM2 on it takes one task of each', () => {
    const { hosts } = readSettings({
      ...NETWORK,
      machines: 'registered',
      machineSecurityGroup: 'sg-12345678',
      counts: '1/1/1',
    })
    assert.deepEqual([hosts?.hosts, hosts?.maxHosts, hosts?.reservedMemoryMb], [1, 1, 2212])
  })
})
