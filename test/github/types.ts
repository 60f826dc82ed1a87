/** A request as it came in. */
export interface RecordedRequest {
  method: string
  /** Path and query, without `/api/v3`. */
  path: string
  /** `app`, `kodus[bot]`, a login, or `anonymous`. */
  actor: string
  /** What was answered; 0 while it is not, or when the connection was cut. */
  status: number
  /** The parsed body, of requests with one. */
  body?: unknown
  /** GraphQL: the operation's name, or its first field. */
  operation?: string
}

/** Something that GitHub's description does not allow. */
export interface Violation {
  where: 'request' | 'response'
  /** `POST /repos/{owner}/{repo}/check-runs 201`. */
  operation: string
  message: string
}

/** An attempt to deliver a webhook. */
export interface Delivery {
  id: number
  /** The same in all attempts. */
  guid: string
  event: string
  action: string | null
  /** `app`, or `octo/shop` for a repository's hook. */
  hook: string
  redelivery: boolean
  deliveredAt: string
  /** HTTP status of the answer; 0 without one. */
  statusCode: number
  /** GitHub's word: `OK`, `timed out`, `failed to connect to host`. */
  status: string
  payload: unknown
  request: { headers: Record<string, string> }
  response: { headers: Record<string, string>; body: string } | null
}

/** Which requests fail, and how. */
export interface Fault {
  method?: string
  /** Of the path below `/api/v3`, with its query; `/graphql` for GraphQL; `/octo/shop.git/…` for git. */
  path?: RegExp
  /** GraphQL: the operation's name, or its first field. */
  operation?: string
  /** Only requests whose body (as JSON text) fits. */
  body?: RegExp
  /** How often; default 1. `Infinity` until `recover()`. */
  times?: number
  /** Lets this many fitting requests through first. */
  after?: number
  with: Failure
}

export type Failure =
  /** Answers so before anything is done. */
  | { status: number; message?: string; headers?: Record<string, string>; errors?: unknown }
  /** Does it, then answers so. */
  | { statusAfter: number }
  /** 403 with `x-ratelimit-remaining: 0`. */
  | { primaryLimit: { resetInSeconds: number } }
  /** 403 (or 429) with the secondary limit's message; `retryAfter` in seconds, absent if undefined. */
  | { secondaryLimit: { status?: 403 | 429; retryAfter?: number } }
  /** 403 as of a missing permission. */
  | { permission: string }
  /** 422 as if this position were not in the diff, for requests that comment there. */
  | { unresolvable: { path: string; line?: number } }
  /** Waits until released, then goes on as if nothing had been; `after`: does it first. */
  | { hold: 'before' | 'after' }
  /** Cuts the connection before it is done, after it is done, or in the middle of the answer's body. */
  | { cut: 'before' | 'after' | 'body' }
  /** GraphQL: 200 with `errors` and no data. */
  | { graphqlErrors: { type?: string; message: string }[] }
