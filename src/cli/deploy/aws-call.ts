import { setTimeout as sleep } from 'node:timers/promises'
import { KodusError, messageOf } from '../../lib/errors.ts'
import { AwsRefusal, asAwsError, isThrottling, readRefusal } from './aws-error.ts'
import { type AwsService, publicAddress, TARGETS } from './aws-services.ts'
import { readAwsConfig } from './config.ts'

/**
 * Calls an operation, with its input and output as they are on the wire: what we do not know is neither dropped nor
 * renamed, and times are seconds since 1970. What is throttled, not answered, or answered with 5xx is tried again.
 *
 * @throws KodusError AWS_CREDENTIALS_MISSING, _EXPIRED or _INVALID, AWS_PERMISSION_DENIED, AWS_THROTTLED,
 * AWS_UNREACHABLE, AWS_REFUSED
 */
export type AwsCall = <T = unknown>(service: AwsService, operation: string, input: object) => Promise<T>

const ANSWER_WITHIN_MS = 30_000
/** As the SDKs' standard mode waits when throttled: twice as long each time, at most 20 s, at random. */
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 20_000
/** Longer waits are told. */
const SILENT_WAIT_MS = 3_000

/**
 * @param region undefined: AWS_REGION, else what the profile says
 * @throws KodusError AWS_REGION_MISSING
 */
export async function connectToAws({
  region: named,
  say,
}: {
  region: string | undefined
  say(line: string): void
}): Promise<AwsCall> {
  const { endpointOf, maxAttempts } = readAwsConfig()
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
  const region = named ?? (await findRegion())
  const credentials = fromNodeProviderChain({ clientConfig: { region } })

  const attempt = async (service: AwsService, operation: string, body: string): Promise<unknown> => {
    const url = new URL(endpointOf(service) ?? publicAddress(service, region))
    const identity = await credentials().catch((error) => {
      throw credentialsMissing(error)
    })
    const headers = await sign(url, { service, region, credentials: identity }, operation, body)
    const response = await fetch(url, {
      method: 'POST',
      headers,
      body,
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
    })
    const answer = await response.text()
    if (response.ok) return JSON.parse(answer || '{}')
    throw readRefusal(response.status, response.headers.get('x-amzn-errortype'), answer)
  }

  return async <T>(service: AwsService, operation: string, input: object) => {
    const body = JSON.stringify(input)
    for (let attempts = 1; ; attempts += 1) {
      try {
        return (await attempt(service, operation, body)) as T
      } catch (error) {
        if (error instanceof KodusError) throw error
        if (!isWorthAnother(error) || attempts >= maxAttempts) throw asFailure(service, operation, error)
      }
      const waitMs =
        Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1)) * (0.5 + Math.random() / 2)
      if (waitMs > SILENT_WAIT_MS) {
        say(`${service}:${operation} was not answered; asking again in ${Math.round(waitMs / 1000)} s`)
      }
      await sleep(waitMs)
    }
  }
}

/** What is no refusal is the network's: refused, reset, too late, or no JSON. */
function isWorthAnother(error: unknown): boolean {
  return !(error instanceof AwsRefusal) || isThrottling(error) || error.status >= 500
}

function asFailure(service: AwsService, operation: string, error: unknown): KodusError {
  if (error instanceof AwsRefusal) return asAwsError(service, operation, error)
  // The message of fetch itself is only "fetch failed".
  const reason = error instanceof Error && error.cause ? error.cause : error
  return new KodusError('AWS_UNREACHABLE', `${service}:${operation} got no answer: ${messageOf(reason)}`, {
    help: 'Check the network, the region, and AWS_ENDPOINT_URL if it is set.',
    cause: error,
  })
}

async function sign(
  url: URL,
  scope: { service: AwsService; region: string; credentials: object },
  operation: string,
  body: string,
): Promise<Record<string, string>> {
  const { SignatureV4 } = await import('@smithy/signature-v4')
  const { Sha256 } = await import('@smithy/core/checksum')
  const { service, region, credentials } = scope
  const identity = credentials as { accessKeyId: string; secretAccessKey: string }
  const signer = new SignatureV4({ service, region, credentials: identity, sha256: Sha256 })
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: {},
    headers: {
      host: url.host,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `${TARGETS[service]}.${operation}`,
    },
    body,
  })
  // fetch says the host itself.
  const { host, ...others } = headers
  return others
}

async function findRegion(): Promise<string> {
  const { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } = await import(
    '@smithy/core/config'
  )
  const region = await loadConfig(NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS)().catch(
    () => '',
  )
  if (region) return region
  throw new KodusError('AWS_REGION_MISSING', 'It is not said which AWS region the cluster is in.', {
    help: 'Pass --region, set AWS_REGION, or name a profile that has a region (AWS_PROFILE).',
  })
}

function credentialsMissing(cause: unknown): KodusError {
  return new KodusError('AWS_CREDENTIALS_MISSING', `There are no AWS credentials: ${messageOf(cause)}`, {
    help: 'Sign in (aws sso login), name a profile (AWS_PROFILE), or in CI let a role be assumed by OIDC. No keys are kept by this product.',
    cause,
  })
}
