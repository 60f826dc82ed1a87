import type { Settings } from '../settings/settings.ts'
import { checkAlarms } from './alarms.ts'
import { checkEdge } from './edge.ts'
import { checkLetIn } from './let-in.ts'
import { checkScaling } from './scaling.ts'
import { checkServices } from './services.ts'
import { checkStores } from './stores.ts'
import type { Template } from './template.ts'

/**
 * What is wrong with the templates that CloudFormation would accept, and that neither CDK's rules nor cdk-nag's see. One sentence
 * each; none when all is well.
 */
export function problemsOfTemplates(template: Template, settings: Settings): string[] {
  return [
    ...checkServices(template, settings),
    ...checkEdge(template),
    ...checkLetIn(template, settings),
    ...checkScaling(template),
    ...checkAlarms(template),
    ...checkStores(template, settings),
  ]
}
