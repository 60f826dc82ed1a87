/** A limit that names a later moment is asked again after this: nobody waits longer on one header's word. */
const LONGEST_MS = 60 * 60_000

/** `Retry-After` and its kin, from most to least exact; then what OpenAI and those after it send. */
const RESETS = ['x-ratelimit-reset-requests', 'x-ratelimit-reset-tokens', 'x-ratelimit-reset']

/**
 * How long an endpoint asks to be left alone, in milliseconds from now, at most an hour: `retry-after-ms`,
 * `Retry-After` (seconds or a date, RFC 9110), else the latest of its `x-ratelimit-reset` headers
 * (`6m0s`, `20ms`, seconds, or a Unix time in seconds or milliseconds).
 *
 * @returns undefined when it does not say
 */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | undefined {
  const told =
    number(headers.get('retry-after-ms')) ??
    retryAfter(headers.get('retry-after'), now) ??
    latest(RESETS.map((name) => reset(headers.get(name), now)))
  return told === undefined ? undefined : Math.min(Math.max(Math.ceil(told), 0), LONGEST_MS)
}

function retryAfter(value: string | null, now: number): number | undefined {
  const seconds = number(value)
  if (seconds !== undefined) return seconds * 1000
  const date = Date.parse(value ?? '')
  return Number.isNaN(date) ? undefined : date - now
}

function reset(value: string | null, now: number): number | undefined {
  const plain = number(value)
  if (plain === undefined) return duration(value ?? '')
  if (plain > 1e12) return plain - now
  return plain > 1e9 ? plain * 1000 - now : plain * 1000
}

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Go's notation, as OpenAI sends it: `1h2m3.5s`. */
function duration(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:ms|[smhd]))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
    total += Number(amount) * (UNIT_MS[unit ?? ''] ?? 0)
  }
  return total
}

function number(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(?:\.\d+)?\s*$/.test(value) ? Number(value) : undefined
}

function latest(times: (number | undefined)[]): number | undefined {
  const told = times.filter((time) => time !== undefined)
  return told.length > 0 ? Math.max(...told) : undefined
}
