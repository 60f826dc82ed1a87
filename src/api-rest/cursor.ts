import type { JobCursor } from '../store/list-jobs.ts'
import { HttpError } from './http-error.ts'

/** What `listJobs` calls a moment: UTC, with PostgreSQL's microseconds. */
const MOMENT = /^2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Where a page ended, as opaque text for a URL. */
export function encodeCursor(cursor: JobCursor): string {
  return Buffer.from(`${cursor.createdAt} ${cursor.id}`).toString('base64url')
}

/** @throws HttpError 400 for anything that `encodeCursor` did not make */
export function decodeCursor(text: string): JobCursor {
  const [createdAt = '', id = '', ...rest] = Buffer.from(text, 'base64url').toString('utf8').split(' ')
  if (rest.length === 0 && UUID.test(id) && MOMENT.test(createdAt) && isMoment(createdAt))
    return { createdAt, id }
  throw new HttpError(400, 'PARAMETER_INVALID', 'cursor is not one that this API gave out.', {
    help: 'Pass the "next" of the page before, unchanged, or leave cursor out for the first page.',
  })
}

/** The pattern lets 31 February through; a date that does not come back as it went in is none. */
function isMoment(text: string): boolean {
  const date = new Date(text)
  return !Number.isNaN(date.getTime()) && date.toISOString().slice(0, 19) === text.slice(0, 19)
}
