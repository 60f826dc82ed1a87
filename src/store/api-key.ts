import { createHash } from 'node:crypto'

export const SCOPES = ['read', 'write'] as const
export type Scope = (typeof SCOPES)[number]

/** What the database keeps of a key. */
export function hashApiKey(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
