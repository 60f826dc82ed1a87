/** An answer's part that tells of limits. Header names in lower case. */
export interface LimitedAnswer {
  status: number
  headers: Readonly<Record<string, string | number | undefined>>
  /** GitHub's own words, from its body. */
  message: string
}

/** GitHub asks to wait at least a minute where it does not say how long. */
const UNSTATED_MS = 60_000

/**
 * How long to wait until GitHub takes requests again, as it asks in its documentation: `retry-after`, else
 * until `x-ratelimit-reset` where nothing remains, else a minute. Milliseconds.
 *
 * @returns undefined when no limit was the reason: a 403 is a missing permission more often
 */
export function rateLimitWait(
  { status, headers, message }: LimitedAnswer,
  now = Date.now(),
): number | undefined {
  if (status !== 403 && status !== 429) return undefined
  const stated = retryAfter(headers, now)
  if (stated !== undefined) return stated
  if (String(headers['x-ratelimit-remaining']) === '0') return untilReset(headers, now)
  const limited = status === 429 || /\b(secondary )?rate limit\b|abuse detection/i.test(message)
  return limited ? UNSTATED_MS : undefined
}

/** `retry-after`: seconds, or a date. Milliseconds from now. */
export function retryAfter(headers: LimitedAnswer['headers'], now = Date.now()): number | undefined {
  const value = headers['retry-after']
  if (value === undefined) return undefined
  const seconds = Number(value)
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000)
  const date = Date.parse(String(value))
  return Number.isNaN(date) ? undefined : Math.max(0, date - serverTime(headers, now))
}

/** Until `x-ratelimit-reset`, which is epoch seconds by GitHub's clock, not by ours. */
export function untilReset(headers: LimitedAnswer['headers'], now = Date.now()): number {
  const reset = Number(headers['x-ratelimit-reset']) * 1000
  if (!Number.isFinite(reset) || reset === 0) return UNSTATED_MS
  return Math.max(0, reset - serverTime(headers, now))
}

function serverTime(headers: LimitedAnswer['headers'], now: number): number {
  const date = Date.parse(String(headers.date))
  return Number.isNaN(date) ? now : date
}

/** A second for rounding, and up to a tenth more, so that not everything that waited comes back at once. */
export function withMargin(waitMs: number): number {
  return Math.ceil(waitMs + 1_000 + Math.random() * Math.min(waitMs / 10, 30_000))
}
