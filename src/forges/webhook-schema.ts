import * as v from 'valibot'
import { malformed } from './webhook-source.ts'

/** What a reviewer reads of a pull request's words; longer ones are cut. UTF-16 code units. */
export const MAX_TITLE_LENGTH = 500
export const MAX_DESCRIPTION_LENGTH = 10_000

const LONE_SURROGATES = /\p{Surrogate}/gu

/**
 * A text of any length, made storable: PostgreSQL's JSON takes neither NUL nor half a surrogate pair. Cut
 * after `maxLength` UTF-16 code units, or one earlier where that would split a character.
 */
export function proseSchema(maxLength: number) {
  return v.pipe(
    v.string(),
    v.transform((prose) =>
      prose
        .replaceAll('\0', '')
        .slice(0, maxLength)
        .replace(/[\uD800-\uDBFF]$/, '')
        .replace(LONE_SURROGATES, '\uFFFD'),
    ),
  )
}

/**
 * A name: not empty, on one line, storable, and short enough in UTF-8 for an index of PostgreSQL (which
 * takes 2,704 bytes for all columns together).
 */
export function nameSchema(maxBytes: number) {
  return v.pipe(
    v.string(),
    v.nonEmpty('must not be empty'),
    v.maxBytes(maxBytes, `must not be longer than ${maxBytes} bytes`),
    v.check((name) => !/[\p{Control}\p{Surrogate}]/u.test(name), 'must not contain control characters'),
  )
}

/**
 * Parses JSON and checks it.
 *
 * @throws KodusError WEBHOOK_MALFORMED naming the first field that is wrong, never quoting its value
 */
export function parseJson<Schema extends v.GenericSchema>(
  schema: Schema,
  json: string,
): v.InferOutput<Schema> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw malformed(
      'The body is not valid JSON.',
      'Send one JSON object, in UTF-8, exactly as it was signed.',
    )
  }
  const parsed = v.safeParse(schema, value, { abortEarly: true })
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw malformed(`The body's ${describe(issue)}.`, 'Correct that field and send the webhook again.')
}

function describe(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue)
  const subject = field === null ? 'JSON' : `field ${JSON.stringify(field)}`
  if (issue.kind === 'validation') return `${subject} ${issue.message}`
  if (issue.received === 'undefined') return `${subject} is missing`
  return `${subject} is of the wrong type: expected ${issue.expected ?? 'another'}`
}
