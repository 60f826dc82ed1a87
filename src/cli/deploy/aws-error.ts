import { KodusError } from '../../lib/errors.ts'
import type { AwsService } from './aws-services.ts'

/** What AWS answered instead of a result. */
export class AwsRefusal extends Error {
  override readonly name = 'AwsRefusal'
  /** `ImageNotFoundException` */
  readonly type: string
  readonly status: number

  constructor(type: string, message: string, status: number) {
    super(message)
    this.type = type
    this.status = status
  }
}

/** Whether an error is AWS's refusal of one of these types. */
export function isRefusal(error: unknown, ...types: string[]): boolean {
  return error instanceof KodusError && error.cause instanceof AwsRefusal && types.includes(error.cause.type)
}

/** An error's answer, in any of the ways in which AWS JSON 1.1 says its type. */
export function readRefusal(status: number, header: string | null, body: string): AwsRefusal {
  const { __type, code, message, Message } = parse(body)
  // `com.amazonaws.ecs#ClientException`, and in the header `ClientException:http://…`.
  const type = String(header ?? __type ?? code ?? `HTTP ${status}`)
    .replace(/:.*$/, '')
    .replace(/^.*#/, '')
  return new AwsRefusal(type, String(message ?? Message ?? (body.slice(0, 300) || 'no reason given')), status)
}

export function isThrottling({ type, status }: AwsRefusal): boolean {
  return status === 429 || /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled)/.test(type)
}

/** A refusal in our words: who may not do what, and what to do. */
export function asAwsError(service: AwsService, operation: string, refusal: AwsRefusal): KodusError {
  const action = `${service}:${operation}`
  const { type, message } = refusal
  const fail = (code: string, says: string, help: string) =>
    new KodusError(code, says, { help, cause: refusal })
  if (isThrottling(refusal)) {
    return fail(
      'AWS_THROTTLED',
      `${action} was refused again and again, because too much is asked of AWS: ${message}`,
      'Try again in a few minutes. If it stays so, look who else calls ECS in this account and region.',
    )
  }
  if (refusal.status >= 500) {
    return fail(
      'AWS_UNREACHABLE',
      `AWS could not answer ${action}: ${type}: ${message}`,
      'Try again in a few minutes; see the AWS Health Dashboard for the region.',
    )
  }
  if (
    /^(AccessDenied|UnauthorizedOperation|NotAuthorized)/.test(type) ||
    /not authorized to perform/.test(message)
  ) {
    return denied(action, refusal)
  }
  if (/^(ExpiredToken|RequestExpired|TokenRefreshRequired)/.test(type)) {
    return fail(
      'AWS_CREDENTIALS_EXPIRED',
      `The AWS credentials have expired: ${message}`,
      'Sign in again (aws sso login, or a new session token), and repeat the command; what was begun goes on meanwhile.',
    )
  }
  if (
    /^(UnrecognizedClient|InvalidClientTokenId|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthentication)/.test(
      type,
    )
  ) {
    return fail(
      'AWS_CREDENTIALS_INVALID',
      `AWS does not know the credentials: ${type}: ${message}`,
      'Check AWS_PROFILE, AWS_ACCESS_KEY_ID and the clock of this machine: aws sts get-caller-identity must answer.',
    )
  }
  return fail('AWS_REFUSED', `AWS refused ${action}: ${type}: ${message}`, 'Its words say what is wrong.')
}

/** AWS names action and resource in the message; the action is not always the one that was called (iam:PassRole). */
function denied(called: string, refusal: AwsRefusal): KodusError {
  const [, action = called, resource] =
    /not authorized to perform: (\S+)(?: on resource: (\S+))?/.exec(refusal.message) ?? []
  const where = resource ? ` on ${resource}` : ''
  return new KodusError('AWS_PERMISSION_DENIED', `${action}${where} is not permitted: ${refusal.message}`, {
    help: `Allow ${action}${where} to whoever runs this; docs/deploying.md has the whole policy.`,
    cause: refusal,
  })
}

function parse(body: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(body))
  } catch {
    return {}
  }
}
