// For tests, which lie where these cannot be resolved.
export { App, CfnResource, Stack, Validations } from 'aws-cdk-lib'
export { AwsSolutionsChecks } from 'cdk-nag'
