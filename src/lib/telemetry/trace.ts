import { AsyncLocalStorage } from 'node:async_hooks'
import { tracingChannel } from 'node:diagnostics_channel'

export type Attributes = Readonly<Record<string, string | number | boolean>>

/** What a span is begun with, in OpenTelemetry's terms. */
export interface SpanStart {
  /** Of a small, closed set: `webhook`, `stage analyse`. */
  name: string
  /** `internal` where it is not said. */
  kind?: 'server' | 'client' | 'consumer'
  /** Ids are welcome here; a secret, a repository's name or anything out of it is not. */
  attributes?: Attributes
  /** The `traceparent` to go on with, of another process; else the span that runs here, if any. */
  parent?: string | null | undefined
}

/** A span that is being recorded. */
export interface RunningSpan {
  /** For those who go on with its trace (W3C Trace Context). */
  readonly traceparent: string
  /** `error.type` marks the span as failed. */
  annotate(attributes: Attributes): void
}

/**
 * Where spans begin and end. Whoever subscribes (`record-spans.ts`) records them; where nobody does, a span
 * costs a comparison. OpenTelemetry's own API would do as much for 5 MB.
 */
export const SPANS = tracingChannel<unknown, SpanStart>('kodus:span')

/** The span in which the code runs that asks. */
export const RUNNING = new AsyncLocalStorage<RunningSpan>()

/**
 * Does `work` as a span. What it throws is thrown on; of that, the span tells the code alone, because a message
 * may quote a repository.
 */
export function traced<Result>(start: SpanStart, work: () => Promise<Result>): Promise<Result> {
  if (!SPANS.hasSubscribers) return work()
  return SPANS.tracePromise(async () => work(), start)
}

/** Adds to the span that runs, if any. */
export function annotate(attributes: Attributes): void {
  RUNNING.getStore()?.annotate(attributes)
}

/** Of the span that runs, for another process to go on with; undefined where nothing is traced. */
export function traceparent(): string | undefined {
  return RUNNING.getStore()?.traceparent
}
