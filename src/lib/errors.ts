/**
 * Whether trying again can help. `transient`: the same call may succeed later (network, 5xx, a rate limit).
 * `permanent`: it fails until somebody changes something.
 */
export type Retryability = 'transient' | 'permanent'

/** What is stored, logged and shown of an error: never a stack, never a secret. */
export interface ErrorReport {
  code: string
  message: string
  help: string
}

/**
 * The one error this product throws on purpose: a stable code to search for, what happened, and what the
 * reader can do about it.
 */
export class KodusError extends Error {
  override readonly name = 'KodusError'
  readonly code: string
  readonly help: string
  readonly retryability: Retryability
  /** When a transient failure names its own moment (a rate limit's reset), milliseconds from now. */
  readonly retryAfterMs: number | undefined

  constructor(
    code: string,
    message: string,
    options: { help: string; retryability?: Retryability; retryAfterMs?: number; cause?: unknown },
  ) {
    super(storable(message), { cause: options.cause })
    this.code = code
    this.help = options.help
    this.retryability = options.retryability ?? 'permanent'
    this.retryAfterMs = options.retryAfterMs
  }

  report(): ErrorReport {
    return { code: this.code, message: this.message, help: this.help }
  }
}

/** Longer messages quote something: a server's whole answer, or a file. */
const MAX_MESSAGE_CHARS = 2_000

/** Cut, and without what PostgreSQL cannot store: a NUL, or half a surrogate pair that a cut left behind. */
function storable(message: string): string {
  const short = message.length > MAX_MESSAGE_CHARS ? `${message.slice(0, MAX_MESSAGE_CHARS)} …` : message
  return short.replaceAll('\0', '').toWellFormed()
}

/** Anything that was thrown, as a KodusError: what nobody foresaw is transient, and says so. */
export function asKodusError(thrown: unknown): KodusError {
  if (thrown instanceof KodusError) return thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  return new KodusError('UNEXPECTED', message, {
    help: 'This is a defect or a failing dependency. The log line with this jobId has the stack.',
    retryability: 'transient',
    cause: thrown,
  })
}

export function messageOf(thrown: unknown): string {
  // Every address of a name having refused: the error itself has no message.
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return messageOf(thrown.errors[0])
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown)
}
