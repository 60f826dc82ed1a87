import { type App, Tags, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { readTemplates, type Template } from './check/template.ts'
import { problemsOfTemplates } from './check/template-problems.ts'
import { readSettings, type Settings } from './settings/settings.ts'
import { SettingsError } from './settings/settings-error.ts'
import { BaseStack } from './stacks/base-stack.ts'
import { ServicesStack } from './stacks/services-stack.ts'

/**
 * Makes the templates and looks through them: by CDK's own rules (cdk.json makes their findings errors), by cdk-nag's, and by ours for what
 * those do not see. What the first two find is printed, and is in the exit code.
 *
 * @throws SettingsError also TEMPLATE_WRONG, with what our rules found
 */
export function buildApp(app: App): { settings: Settings; template: Template } {
  const settings = readSettings(app.node.getAllContext())
  const base = new BaseStack(app, settings)
  new ServicesStack(app, settings, base)
  Tags.of(app).add('kodus:environment', settings.environment)
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app))
  const template = readTemplates(app.synth().stacks.map((stack) => stack.template))
  const problems = problemsOfTemplates(template, settings)
  if (problems.length > 0) {
    throw new SettingsError('TEMPLATE_WRONG', problems.join('\n'), 'infra/cdk makes it: correct it there.')
  }
  return { settings, template }
}
