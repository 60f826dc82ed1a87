import { createHash, type Hash } from 'node:crypto'
import { createRequire } from 'node:module'

interface Examples {
  name: string
  examples: Record<string, unknown>[]
}

export const WEBHOOK_SECRET = 'the secret of a bench'

/** How many pull requests the webhooks are about. */
const PULL_REQUESTS = 1_000

/** Bodies that differ from one another, each signed. Making one costs microseconds. */
export interface Payloads {
  /** Bytes of one body. */
  size: number
  /** What all bodies begin with; `next` has the rest. */
  start: Buffer
  next(): { rest: Buffer; signature: string }
}

/**
 * GitHub's own example of a `pull_request` webhook (23,741 bytes, action `synchronize`), with another pull
 * request and head in each. Those fields are put at the end of the JSON, so that all bodies begin with the
 * same bytes: the HMAC of those is computed once, and the load generator leaves the processor to the servers.
 */
export function createPayloads(): Payloads {
  const { pull_request, ...event } = example()
  const { head, ...pull } = pull_request as Record<string, Record<string, unknown>>
  const { sha: _, ...headRest } = head ?? {}
  const open = (value: unknown) => JSON.stringify(value).slice(0, -1)
  const start = Buffer.from(
    `${open({ ...event, number: 0 })},"pull_request":${open(pull)},"head":${open(headRest)}`,
  )

  const inner = padded(0x36).update(start)
  const outer = padded(0x5c)
  let count = 0
  const next = () => {
    count += 1
    const sha = count.toString(16).padStart(40, '0')
    const rest = Buffer.from(`,"sha":"${sha}"},"number":${(count % PULL_REQUESTS) + PULL_REQUESTS}}}`)
    const signature = outer.copy().update(inner.copy().update(rest).digest()).digest('hex')
    return { rest, signature }
  }
  return { size: start.length + next().rest.length, start, next }
}

/** The state of SHA-256 after HMAC's padded key (RFC 2104). */
function padded(byte: number): Hash {
  const block = Buffer.alloc(64)
  block.write(WEBHOOK_SECRET)
  return createHash('sha256').update(block.map((value) => value ^ byte))
}

function example(): Record<string, unknown> {
  const all: Examples[] = createRequire(import.meta.url)('@octokit/webhooks-examples')
  const found = all
    .find(({ name }) => name === 'pull_request')
    ?.examples.find(({ action }) => action === 'synchronize')
  if (!found) throw new Error('@octokit/webhooks-examples has no pull_request.synchronize')
  return found
}
