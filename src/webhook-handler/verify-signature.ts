import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * The HMAC-SHA256 of these very bytes, if `sha256=<hex>` is that under one of the secrets; else undefined. How long
 * it takes tells nothing about how much of a signature was right.
 */
export function verifySignature(
  body: Buffer,
  signature: string,
  secrets: readonly string[],
): Buffer | undefined {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1]
  if (!hex) return undefined
  const given = Buffer.from(hex, 'hex')
  for (const secret of secrets) {
    const made = createHmac('sha256', secret).update(body).digest()
    if (timingSafeEqual(given, made)) return made
  }
  return undefined
}
