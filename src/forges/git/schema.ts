import * as v from 'valibot'
import { checkRef } from '../../lib/git/ref.ts'
import { MAX_DESCRIPTION_LENGTH, MAX_TITLE_LENGTH, nameSchema, proseSchema } from '../webhook-schema.ts'

const Ref = v.pipe(
  nameSchema(255),
  v.check(isRef, 'must be a full commit id, or the name of a branch or tag'),
)

/**
 * The body of a `git` webhook. Whether the repository may be read at all (path roots, protocols) is for
 * the worker to say; this is its shape.
 */
export const GitWebhookBody = v.object({
  repository: v.pipe(
    nameSchema(2_000),
    v.check((repository) => !repository.startsWith('-'), 'must not start with "-"'),
    v.check(
      (repository) => !hasCredentials(repository),
      'must not contain credentials: they would be stored with the job. Give them to the worker instead',
    ),
  ),
  base: Ref,
  head: Ref,
  title: v.nullish(proseSchema(MAX_TITLE_LENGTH)),
  description: v.nullish(proseSchema(MAX_DESCRIPTION_LENGTH)),
  branch: v.nullish(nameSchema(250)),
  force: v.nullish(v.boolean()),
})

/** `scheme://user:password@`, `https://token@`. A bare user name is how ssh is addressed, and no secret. */
function hasCredentials(repository: string): boolean {
  const urls = repository.matchAll(/([a-z][a-z0-9+.-]*):\/\/([^/?#]*)@/gi)
  return [...urls].some(([, scheme = '', user = '']) => !/ssh$/i.test(scheme) || /[:@]/.test(user))
}

function isRef(ref: string): boolean {
  try {
    checkRef(ref)
    return true
  } catch {
    return false
  }
}
