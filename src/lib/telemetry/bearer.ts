import { createHash, timingSafeEqual } from 'node:crypto'

/**
 * Whether a request carries this token as `Authorization: Bearer …`. How long it takes tells nothing of the
 * token; where there is none, nobody carries it.
 */
export function carriesToken(authorization: string | undefined, token: string | undefined): boolean {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  return given !== undefined && token !== undefined && timingSafeEqual(digest(given), digest(token))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
