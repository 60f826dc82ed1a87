import type { Review } from '../../review/review.ts'
import type { FormatContext } from './context.ts'

/**
 * What `--format json` prints. Within a version, members are added, never renamed or removed; `review.ts`
 * says what those of the review mean.
 */
export interface ReviewDocument
  extends Pick<
    Review,
    | 'base'
    | 'head'
    | 'since'
    | 'files'
    | 'findings'
    | 'carried'
    | 'fixed'
    | 'returned'
    | 'notes'
    | 'model'
    | 'fetchedBytes'
  > {
  version: 1
  repository: string
  title: string | null
}

export function jsonFormat(review: Review, { repository, title }: FormatContext): string {
  const { base, head, since, files, findings, carried, fixed, returned, notes, model, fetchedBytes } = review
  const document: ReviewDocument = {
    version: 1,
    repository,
    title: title ?? null,
    base,
    head,
    since,
    files,
    findings,
    carried,
    fixed,
    returned,
    notes,
    model,
    fetchedBytes,
  }
  return jsonText(document)
}

/**
 * JSON that is safe to print: what a terminal would obey or hide is written as an escape, with the same
 * meaning to every parser.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(/[\x7f-\x9f]|\p{Cf}/gu, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  )
}
