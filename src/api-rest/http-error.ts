import { KodusError } from '../lib/errors.ts'

/** An error that knows its HTTP status, and the headers that must go with it. */
export class HttpError extends KodusError {
  readonly status: number
  readonly headers: Record<string, string>

  constructor(
    status: number,
    code: string,
    message: string,
    options: { help: string; headers?: Record<string, string>; cause?: unknown },
  ) {
    super(code, message, options)
    this.status = status
    this.headers = options.headers ?? {}
  }
}

export function deadLetterUnknown(id: string): HttpError {
  return new HttpError(404, 'DEAD_LETTER_UNKNOWN', `There is no dead letter ${id}.`, {
    help: 'Take the id from GET /dead-letters.',
  })
}

export function jobUnknown(id: string): HttpError {
  return new HttpError(404, 'JOB_UNKNOWN', `There is no job ${id}.`, {
    help: "Take the id from the webhook's answer or from GET /jobs.",
  })
}
