import { map, maps, type Template } from './template.ts'

/** That an alarm that is raised does something: calls for scaling, or tells somebody. */
export function* checkAlarms(template: Template): Generator<string> {
  const [topic] = template.all('SNS::Topic')
  for (const { id, properties } of template.all('CloudWatch::Alarm')) {
    const { AlarmName, AlarmActions, MetricName } = properties
    if (!Array.isArray(AlarmActions) || AlarmActions.length === 0) {
      yield `${AlarmName ?? MetricName ?? id} is raised and nothing happens`
    } else if (AlarmName !== undefined && !AlarmActions.includes(`\${${topic?.id}}`)) {
      yield `${AlarmName} is raised and nobody is told`
    }
  }
  const statements = template
    .all('SNS::TopicPolicy')
    .filter(({ properties }) => JSON.stringify(properties.Topics).includes(`\${${topic?.id}}`))
    .flatMap(({ properties }) => maps(map(properties.PolicyDocument).Statement))
  const mayPublish = statements.some(
    ({ Effect, Action, Principal, Resource }) =>
      Effect === 'Allow' &&
      Action === 'sns:Publish' &&
      map(Principal).Service === 'cloudwatch.amazonaws.com' &&
      Resource === `\${${topic?.id}}`,
  )
  if (!mayPublish) yield 'alarms may not publish to their topic'
}
