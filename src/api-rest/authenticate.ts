import type { FastifyRequest } from 'fastify'
import type { Scope } from '../store/api-key.ts'
import type { Database } from '../store/database.ts'
import { findApiKey } from '../store/find-api-key.ts'
import { HttpError } from './http-error.ts'

/** Who calls: the name of an API key, and what the key may do. */
export interface Caller {
  name: string
  scopes: readonly Scope[]
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Null on routes that need no key. */
    caller: Caller | null
  }
}

/** A hook that lets through only requests with a key of this scope. */
export function requireScope(db: Database, scope: Scope) {
  return async (request: FastifyRequest): Promise<void> => {
    request.caller = await identifyCaller(db, request.headers.authorization)
    if (request.caller.scopes.includes(scope)) return
    throw new HttpError(403, 'SCOPE_MISSING', `This needs the scope "${scope}", which the API key lacks.`, {
      help: `Use a key made with: kodus keys create <name> --scope ${scope}`,
      headers: { 'www-authenticate': `Bearer error="insufficient_scope", scope="${scope}"` },
    })
  }
}

/**
 * Looks the key up on every call, by its hash's unique index: a revoked key ends at once, and nothing has to
 * be kept in memory.
 *
 * @throws HttpError 401 without a valid key; 503 when the database cannot say
 */
export async function identifyCaller(db: Database, authorization: string | undefined): Promise<Caller> {
  const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  if (!key) {
    throw new HttpError(401, 'API_KEY_MISSING', 'This needs an API key.', {
      help: 'Send "Authorization: Bearer <key>". A key is made with: kodus keys create <name>',
      headers: { 'www-authenticate': 'Bearer' },
    })
  }
  const caller = await findApiKey(db, key)
  if (caller) return caller
  throw new HttpError(401, 'API_KEY_INVALID', 'The API key is unknown or was revoked.', {
    help: 'See the keys there are with: kodus keys list',
    headers: { 'www-authenticate': 'Bearer error="invalid_token"' },
  })
}
