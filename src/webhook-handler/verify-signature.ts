import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * Whether `sha256=<hex>` is the HMAC-SHA256 of these very bytes under one of the secrets. How long it takes
 * tells nothing about how much of a signature was right.
 */
export function verifySignature(body: Buffer, signature: string, secrets: readonly string[]): boolean {
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1]
  if (!hex) return false
  const given = Buffer.from(hex, 'hex')
  return secrets.some((secret) => timingSafeEqual(createHmac('sha256', secret).update(body).digest(), given))
}
