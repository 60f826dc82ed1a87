import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { readTemplates } from '../../infra/cdk/check/template.ts'
import { problemsOfTemplates } from '../../infra/cdk/check/template-problems.ts'
import { ASSUMPTIONS } from '../../src/cli/cost/assumptions.ts'
import { hostsFor } from '../../src/cli/cost/hosts.ts'
import { BROKERS, databaseOf } from '../../src/cli/cost/store-sizes.ts'
import { mostOf, ofTable } from '../../src/ecs-capacity.ts'
import { EDGE_MUTANTS } from './mutants/edge.ts'
import type { Find } from './mutants/mutant.ts'
import { SCALING_MUTANTS } from './mutants/scaling.ts'
import { SERVICES_MUTANTS } from './mutants/services.ts'
import { STORES_MUTANTS } from './mutants/stores.ts'
import {
  AwsSolutionsChecks,
  CDK,
  CfnResource,
  findingsIn,
  newDirectory,
  openApp,
  type RawTemplate,
  Stack,
  synthesise,
  Validations,
} from './synthesise.ts'

const EXISTING = {
  vpc: 'vpc-12345678',
  vpcCidr: '10.0.0.0/16',
  publicSubnets: 'subnet-11111111,subnet-22222222',
  privateSubnets: 'subnet-33333333,subnet-44444444',
  databaseUrlSecret: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:database-AbCdEf',
  databaseSecurityGroup: 'sg-11111111',
  broker: 'none',
  machines: 'registered',
  machineSecurityGroup: 'sg-22222222',
  counts: '1/1/1',
  imagesTo: '222222222222',
  pm2Machine: 'i-12345678',
  weights: 'pm2:100,ec2:0',
}
const made = {
  'ec2 staging': synthesise({ launch: 'ec2', env: 'staging' }),
  'ec2 production': synthesise({ launch: 'ec2', env: 'production' }),
  'fargate staging': synthesise({ launch: 'fargate', env: 'staging' }),
  'fargate production': synthesise({ launch: 'fargate', env: 'production', imagesFrom: '111111111111' }),
  'the old machine, beside PM2': synthesise({ launch: 'ec2', env: 'staging', ...EXISTING }),
}

describe('templates', () => {
  for (const [name, { findings }] of Object.entries(made)) {
    test(`of ${name} pass CDK's rules and cdk-nag's, and ours`, () => assert.deepEqual(findings, []))
  }

  for (const [what, launch, said, mutate] of [
    ...SERVICES_MUTANTS,
    ...EDGE_MUTANTS,
    ...SCALING_MUTANTS,
    ...STORES_MUTANTS,
  ]) {
    test(`with ${what} are refused`, () => {
      const name = launch === 'pm2' ? 'the old machine, beside PM2' : (`${launch} production` as const)
      const { templates, settings } = made[name]
      const mutant = structuredClone(templates)
      const findWhole: Find = (type, having = '') => resourceIn(mutant, type, having)
      mutate((type, having) => findWhole(type, having).Properties, findWhole)
      const problems = problemsOfTemplates(readTemplates(mutant), settings)
      assert.match(problems.join('\n'), said)
    })
  }

  test('need nothing looked up', () => {
    for (const { app } of Object.values(made)) assert.deepEqual(app.synth().manifest.missing, undefined)
  })

  test('of the base are the same for both launch types, but for who answers', () => {
    const without = (name: 'ec2 production' | 'fargate production') =>
      base(name).filter((id) => !/Targets(ec2|fargate)/.test(id))
    assert.deepEqual(without('ec2 production'), without('fargate production'))
  })

  test('take nothing away that another cluster uses while requests move over', () => {
    const weights = 'ec2:90,fargate:10'
    const moving = synthesise({ launch: 'fargate', env: 'production', cluster: 'kodus-fargate', weights })
    const exports = moving.templates.flatMap(({ Outputs = {} }) =>
      Object.values(Outputs).map((output) => output.Export?.Name),
    )
    const [, services] = made['ec2 production'].templates
    const used = [...JSON.stringify(services).matchAll(/"Fn::ImportValue":"([^"]+)"/g)].map(
      ([, name]) => name,
    )
    assert.ok(used.length > 10)
    assert.deepEqual(
      used.filter((name) => !exports.includes(name)),
      [],
    )
  })

  test('beside PM2 send it all requests until weights say otherwise', () => {
    const { templates } = made['the old machine, beside PM2']
    const { TargetGroups } = find(templates, 'ElasticLoadBalancingV2::Listener', 'webhook').DefaultActions[0]
      .ForwardConfig
    assert.deepEqual(
      TargetGroups.map(({ Weight }: { Weight: number }) => Weight),
      [100, 0],
    )
    const pm2 = find(templates, 'ElasticLoadBalancingV2::TargetGroup', 'webhook-handler-pm2')
    assert.deepEqual([pm2.Port, pm2.Targets], [3332, [{ Id: 'i-12345678', Port: 3332 }]])
  })
})

test('what kodus cost prices is what is made', () => {
  for (const environment of ['staging', 'production'] as const) {
    const { templates } = made[`ec2 ${environment}`]
    const { DBInstanceClass } = find(templates, 'RDS::DBInstance', '')
    assert.equal(DBInstanceClass, databaseOf(environment).name)
    const { HostInstanceType, DeploymentMode } = find(templates, 'AmazonMQ::Broker', '')
    const { name, nodes } = BROKERS[environment]
    assert.equal(HostInstanceType, name)
    assert.equal(nodes, DeploymentMode === 'CLUSTER_MULTI_AZ' ? 3 : 1)
    const { MinSize, MaxSize } = find(templates, 'AutoScaling::AutoScalingGroup', '')
    assert.equal(Number(MinSize), hostsFor(ofTable('min')))
    assert.equal(Number(MaxSize), hostsFor(mostOf(environment)))
    const [disk] = find(templates, 'EC2::LaunchTemplate', '').LaunchTemplateData.BlockDeviceMappings
    assert.equal(disk.Ebs.VolumeSize, ASSUMPTIONS.hostDiskGb.value)
  }
})

describe('the rules of others', () => {
  test('cdk-nag finds each thing that is accepted with a reason, so that no reason is for nothing', () => {
    const { app } = made['ec2 staging']
    const rules = new AwsSolutionsChecks(app)
    Object.assign(rules, { isAcknowledged: () => false })
    const found = rules.validateScope(app).violations.map(({ ruleName }) => ruleName)
    const accepted = app.node
      .findAll()
      .flatMap(({ node }) =>
        node.metadata
          .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
          .flatMap(({ data }) => Object.keys(data).map((id) => id.replace(/^Annotation::/i, ''))),
      )
    assert.ok(accepted.length > 5)
    assert.deepEqual(
      [...new Set(accepted)].filter((id) => /^AwsSolutions/.test(id) && !found.includes(id)),
      [],
    )
  })

  test("CDK's own refuse a property that does not exist", () => {
    const outdir = newDirectory()
    const app = openApp(outdir)
    const properties = { AccessControll: 'Private' }
    new CfnResource(new Stack(app, 'Planted'), 'Bucket', { type: 'AWS::S3::Bucket', properties })
    assert.throws(() => app.synth(), /Validation failed/)
    assert.match(findingsIn(outdir).join(), /CloudFormation Validate/)
  })
})

test('the types of infra/cdk are right', () => {
  const tsc = new URL('../../node_modules/.bin/tsc', import.meta.url).pathname
  const { status, stdout } = spawnSync(tsc, ['-p', `${CDK}tsconfig.json`], { encoding: 'utf8' })
  assert.equal(status, 0, stdout)
})

function find(templates: RawTemplate[], type: string, having: string) {
  return resourceIn(templates, type, having).Properties
}

function resourceIn(templates: RawTemplate[], type: string, having: string) {
  const all = templates.flatMap(({ Resources }) => Object.values(Resources))
  const found = all.find(
    (each) => each.Type === `AWS::${type}` && JSON.stringify(each.Properties).includes(having),
  )
  assert.ok(found, `there is no ${type} with ${having}`)
  return found
}

function base(name: keyof typeof made): string[] {
  const [template] = made[name].templates
  assert.match(template?.file ?? '', /base\.template/)
  return Object.keys(template?.Resources ?? {}).sort()
}
