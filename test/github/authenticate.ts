import { verify } from 'node:crypto'
import type { AppPermissions } from './model/permissions.ts'
import type { Author, Installation, InstallationToken, PersonalToken } from './model/state.ts'
import { Refusal } from './refusal.ts'
import { granted, type World } from './world.ts'

/** Who asks. */
export type Actor =
  | { kind: 'anonymous'; name: 'anonymous' }
  | { kind: 'app'; name: 'app' }
  | {
      kind: 'installation'
      name: string
      author: Author
      installation: Installation
      token: InstallationToken
      permissions: AppPermissions
    }
  | { kind: 'user'; name: string; author: Author }

/** GitHub takes no JWT that is to live longer. */
const LONGEST_JWT_SECONDS = 600

/** @throws Refusal 401 for credentials that are none */
export function authenticate(world: World, authorization: string | undefined): Actor {
  if (!authorization) return { kind: 'anonymous', name: 'anonymous' }
  const [scheme = '', value = ''] = authorization.split(' ')
  switch (scheme.toLowerCase()) {
    case 'basic':
      // git sends a token as the password of any user.
      return fromToken(
        world,
        Buffer.from(value, 'base64')
          .toString()
          .replace(/^[^:]*:/, ''),
      )
    case 'bearer':
    case 'token':
      if (value.split('.').length !== 3) return fromToken(world, value)
      checkJwt(world, value)
      return { kind: 'app', name: 'app' }
    default:
      throw badCredentials()
  }
}

function fromToken(world: World, value: string): Actor {
  const token: InstallationToken | PersonalToken | undefined = world.state.tokens.get(value)
  if (!token) throw badCredentials()
  if (token.kind === 'personal') {
    return { kind: 'user', name: token.account.login, author: { account: token.account, viaApp: false } }
  }
  const { installation } = token
  const alive = world.state.installations.includes(installation)
  if (!alive || token.expiresAt <= world.clock.now()) throw badCredentials()
  if (installation.suspended) throw new Refusal(403, 'This installation has been suspended')
  const permissions = granted(world.app, token.permissions)
  const author = { account: world.state.account(`${world.app.slug}[bot]`, 'Bot'), viaApp: true }
  return { kind: 'installation', name: author.account.login, author, installation, token, permissions }
}

function checkJwt(world: World, jwt: string): void {
  const [header = '', payload = '', signature = ''] = jwt.split('.')
  const signed = Buffer.from(`${header}.${payload}`)
  const { alg } = parse(header)
  if (
    alg !== 'RS256' ||
    !verify('sha256', signed, world.app.publicKey, Buffer.from(signature, 'base64url'))
  ) {
    throw new Refusal(401, 'A JSON web token could not be decoded')
  }
  const { iss, iat, exp } = parse(payload)
  const now = world.clock.now().getTime() / 1000
  if (String(iss) !== String(world.app.id) && iss !== world.app.clientId) {
    throw new Refusal(401, 'Integration not found')
  }
  if (typeof exp !== 'number' || exp <= now) {
    throw new Refusal(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    )
  }
  if (exp - now > LONGEST_JWT_SECONDS) {
    throw new Refusal(401, "'Expiration time' claim ('exp') is too far in the future")
  }
  if (typeof iat !== 'number' || iat > now) {
    throw new Refusal(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    )
  }
}

function parse(part: string): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString())
  } catch {
    throw new Refusal(401, 'A JSON web token could not be decoded')
  }
}

function badCredentials(): Refusal {
  return new Refusal(401, 'Bad credentials')
}
