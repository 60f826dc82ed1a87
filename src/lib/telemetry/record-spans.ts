import {
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import { asKodusError } from '../errors.ts'
import { RUNNING, type RunningSpan, SPANS, type SpanStart } from './trace.ts'

const KINDS = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const

/** Records the spans of this process with an OpenTelemetry tracer, until what it returns is called. */
export function recordSpans(tracer: Tracer): () => void {
  const open = new WeakMap<object, Span>()

  const begin = (start: SpanStart): RunningSpan => {
    const parent = parseTraceparent(start.parent ?? RUNNING.getStore()?.traceparent)
    const context = parent ? trace.setSpanContext(ROOT_CONTEXT, parent) : ROOT_CONTEXT
    const kind = start.kind ? KINDS[start.kind] : SpanKind.INTERNAL
    const span = tracer.startSpan(start.name, { kind, attributes: { ...start.attributes } }, context)
    open.set(start, span)
    return {
      traceparent: formatTraceparent(span.spanContext()),
      annotate: (more) => {
        span.setAttributes(more)
        if ('error.type' in more) span.setStatus({ code: SpanStatusCode.ERROR })
      },
    }
  }

  const end = (message: unknown) => {
    const ended = message as SpanStart & { error?: unknown }
    const span = open.get(ended)
    if (ended.error !== undefined) {
      span?.setStatus({ code: SpanStatusCode.ERROR })
      span?.setAttribute('error.type', asKodusError(ended.error).code)
    }
    span?.end()
  }

  SPANS.start.bindStore(RUNNING, begin)
  SPANS.asyncEnd.subscribe(end)
  return () => {
    SPANS.start.unbindStore(RUNNING)
    SPANS.asyncEnd.unsubscribe(end)
  }
}

function formatTraceparent({ traceId, spanId, traceFlags }: SpanContext): string {
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
}

/** @returns nothing for what is none: a trace then begins here */
function parseTraceparent(header: string | undefined): SpanContext | undefined {
  const [, traceId, spanId, flags] =
    /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/.exec(header ?? '') ?? []
  if (!traceId || !spanId || !flags || header?.startsWith('ff')) return undefined
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true }
}
