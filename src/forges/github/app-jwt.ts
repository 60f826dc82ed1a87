import { type KeyObject, sign } from 'node:crypto'

/** GitHub takes ten minutes at most; half of it leaves room for clocks that differ. */
const LIFETIME_S = 300

/** GitHub's advice: issued a minute ago, so that its own clock may be behind. */
const BACKDATED_S = 60

/**
 * What an App proves itself with: a JWT, signed with its private key, good for four minutes.
 *
 * @param now by GitHub's clock, milliseconds
 */
export function createAppJwt(
  { appId, privateKey }: { appId: number; privateKey: KeyObject },
  now: number,
): string {
  const iat = Math.floor(now / 1000) - BACKDATED_S
  const claims = [
    { alg: 'RS256', typ: 'JWT' },
    { iat, exp: iat + LIFETIME_S, iss: appId },
  ]
  const signed = claims.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${signed}.${sign('sha256', Buffer.from(signed), privateKey).toString('base64url')}`
}
