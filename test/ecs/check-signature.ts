import { createHash, createHmac } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export interface Keys {
  accessKeyId: string
  secretAccessKey: string
}

/** Headers without which a signature says too little. */
const MUST_BE_SIGNED = ['host', 'x-amz-date', 'x-amz-target']

/**
 * What is wrong with the signature (version 4) of a POST to `/`, computed anew from its description and with nothing of
 * the library that made it; undefined if it is right.
 */
export function signatureComplaint(
  headers: IncomingHttpHeaders,
  body: string,
  keys: Keys,
  scope: { service: string; region: string },
): string | undefined {
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? '',
    )
  if (!match) return `no signature: ${headers.authorization}`
  const [, accessKeyId = '', day = '', region = '', service = '', signed = '', signature = ''] = match
  if (accessKeyId !== keys.accessKeyId) return `unknown key ${accessKeyId}`
  if (region !== scope.region || service !== scope.service) return `signed for ${service} in ${region}`
  const names = signed.split(';')
  const unsigned = MUST_BE_SIGNED.filter((name) => !names.includes(name))
  if (unsigned.length > 0) return `not signed: ${unsigned.join(', ')}`

  const canonical = [
    'POST',
    '/',
    '',
    ...names.map((name) => `${name}:${String(headers[name]).trim()}`),
    '',
    signed,
    sha256(body),
  ].join('\n')
  const date = String(headers['x-amz-date'])
  const toSign = [
    'AWS4-HMAC-SHA256',
    date,
    `${day}/${region}/${service}/aws4_request`,
    sha256(canonical),
  ].join('\n')
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${keys.secretAccessKey}`,
  )
  const expected = createHmac('sha256', key).update(toSign).digest('hex')
  return signature === expected ? undefined : 'the signature is wrong'
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
