import { Fn, SecretValue } from 'aws-cdk-lib'
import * as secrets from 'aws-cdk-lib/aws-secretsmanager'
import type { Construct } from 'constructs'
import { type EnvironmentName, secretName } from '../../../src/ecs-names.ts'
import { acknowledge } from './acknowledge.ts'

/** What a store's user is called. */
export const USER = 'kodus'
/** Letters and digits alone, so that it can stand in a URL as it is; 40 of them are 238 bits. */
const PASSWORD = { excludePunctuation: true, passwordLength: 40 }

const ROTATION =
  'Components read a URL when they start: a rotation has to restart them, so it is done by hand (docs/deploying.md).'

/** A user name and a password that nobody has seen. */
export function makeCredentials(scope: Construct, environment: EnvironmentName, store: string) {
  const credentials = new secrets.Secret(scope, 'Credentials', {
    secretName: `kodus/${environment}/${store}-credentials`,
    generateSecretString: {
      ...PASSWORD,
      secretStringTemplate: JSON.stringify({ username: USER }),
      generateStringKey: 'password',
    },
  })
  acknowledge(credentials, { 'AwsSolutions-SMG4': ROTATION })
  return credentials
}

/**
 * The whole URL as a secret of its own, as components read it. CloudFormation puts it together when it deploys
 * (a dynamic reference), so that the password is in no template, output or log.
 *
 * @param address host, port and what follows, as `host:5432/kodus`
 * @returns the secret's ARN
 */
export function makeUrlSecret(
  scope: Construct,
  props: {
    environment: EnvironmentName
    variable: string
    protocol: string
    credentials: secrets.Secret
    address: string
  },
): string {
  const { environment, variable, protocol, credentials, address } = props
  const password = credentials.secretValueFromJson('password').unsafeUnwrap()
  const url = Fn.join('', [`${protocol}://${USER}:`, password, '@', address])
  const secret = new secrets.Secret(scope, 'Url', {
    secretName: secretName(environment, variable),
    secretStringValue: SecretValue.unsafePlainText(url),
  })
  acknowledge(secret, { 'AwsSolutions-SMG4': ROTATION })
  return secret.secretArn
}
