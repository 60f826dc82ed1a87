/** An answer other than success. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly status: number
  readonly errors: unknown
  readonly headers: Record<string, string>

  constructor(
    status: number,
    message: string,
    { errors, headers = {} }: { errors?: unknown; headers?: Record<string, string> } = {},
  ) {
    super(message)
    this.status = status
    this.errors = errors
    this.headers = headers
  }
}

export function notFound(): Refusal {
  return new Refusal(404, 'Not Found')
}

/** 422 as most of the REST API says it. */
export function validationFailed(resource: string, field: string, message: string, code = 'custom'): Refusal {
  return new Refusal(422, 'Validation Failed', { errors: [{ resource, code, field, message }] })
}

/** 422 as the reviews say it: sentences, which do not tell which comment was meant. */
export function unprocessable(errors: string[]): Refusal {
  return new Refusal(422, 'Unprocessable Entity', { errors: [...new Set(errors)] })
}
