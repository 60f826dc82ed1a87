import { KodusError, messageOf } from '../../lib/errors.ts'
import type { AwsCall } from './aws-call.ts'
import type { Target } from './target.ts'

/**
 * Writes down which image runs, for the CDK to read: a `cdk deploy` then puts no old one back.
 *
 * @throws KodusError IMAGE_NOT_RECORDED
 */
export async function rememberImage(call: AwsCall, { parameter }: Target, image: string): Promise<void> {
  try {
    await call('ssm', 'PutParameter', { Name: parameter, Value: image, Type: 'String', Overwrite: true })
  } catch (cause) {
    throw new KodusError('IMAGE_NOT_RECORDED', `${parameter} could not be written: ${messageOf(cause)}`, {
      help: `The service is as said above, but a cdk deploy would put the image back that is recorded. Write it: aws ssm put-parameter --name ${parameter} --type String --overwrite --value ${image}`,
      cause,
    })
  }
}
