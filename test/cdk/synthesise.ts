import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { installCdk } from '../../infra/cdk/install-cdk.ts'

// Whatever needs the CDK is imported after it is installed.
installCdk()
const { App, CfnResource, Stack, Validations, AwsSolutionsChecks } = await import(
  '../../infra/cdk/libraries.ts'
)
const { buildApp } = await import('../../infra/cdk/build-app.ts')

export { AwsSolutionsChecks, CfnResource, Stack, Validations }

export const CDK = fileURLToPath(new URL('../../infra/cdk/', import.meta.url))
const { context: FLAGS } = JSON.parse(readFileSync(`${CDK}cdk.json`, 'utf8'))

/** All that `-c launch=… -c env=…` can say. */
export const COMBINATIONS = [
  { launch: 'ec2', env: 'staging' },
  { launch: 'ec2', env: 'production' },
  { launch: 'fargate', env: 'staging' },
  { launch: 'fargate', env: 'production' },
] as const

/** Where a test's templates are; the runner takes them away. */
export const newDirectory = () => mkdtempSync(path.join(tmpdir(), 'kodus-cdk-'))

/** An app as `cdk` starts it. */
export function openApp(outdir: string, context: Readonly<Record<string, string>> = {}) {
  return new App({ outdir, context: { ...FLAGS, ...context } })
}

/** Makes the templates as `npm run cdk -- synth` does. */
export function synthesise(context: Readonly<Record<string, string>>) {
  const outdir = newDirectory()
  const app = openApp(outdir, context)
  const { settings } = buildApp(app)
  return { app, settings, outdir, templates: templatesIn(outdir), findings: findingsIn(outdir) }
}

/** As CloudFormation is given them, to be changed at will. */
export interface RawTemplate {
  file: string
  // biome-ignore lint/suspicious/noExplicitAny: a template is what a mutant makes of it
  Resources: Record<string, { Type: string; Properties: any }>
  Outputs?: Record<string, { Value: unknown; Export?: { Name: string } }>
}

function templatesIn(outdir: string): RawTemplate[] {
  const files = readdirSync(outdir).filter((file) => file.endsWith('.template.json'))
  return files.map((name) => {
    const file = path.join(outdir, name)
    return { file, ...JSON.parse(readFileSync(file, 'utf8')) }
  })
}

/** What CDK's own rules and cdk-nag found, each as `plug-in: rule`. */
export function findingsIn(outdir: string): string[] {
  const { pluginReports } = JSON.parse(readFileSync(path.join(outdir, 'validation-report.json'), 'utf8')) as {
    pluginReports: { pluginName: string; violations?: { ruleName: string }[] }[]
  }
  return pluginReports.flatMap(({ pluginName, violations = [] }) =>
    violations.map(({ ruleName }) => `${pluginName}: ${ruleName}`),
  )
}
