import { type Environment, integer, text, type Variables } from '../env.ts'
import { KodusError } from '../errors.ts'

/** For the components that listen. */
export const METRICS_VARIABLES = {
  METRICS_TOKEN: {
    describe:
      'Who sends it as `Authorization: Bearer …` may read `GET /metrics`; at least 16 characters. Unset: the webhook handler has no such route, and the API shows it to keys with the scope `read`.',
    secret: true,
  },
} as const satisfies Variables

/** OpenTelemetry's own names and meanings. What is not listed here is read by its SDK, as it documents. */
export const TELEMETRY_VARIABLES = {
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    describe:
      'Where metrics and traces are pushed, by OTLP over HTTP: `http://collector:4318`. Unset: nothing is pushed. See `docs/metrics.md`.',
  },
  OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: {
    describe: 'For metrics alone, with its path: `http://collector:4318/v1/metrics`.',
  },
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: {
    describe: 'For traces alone, with its path: `http://collector:4318/v1/traces`.',
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    describe: 'Sent along, as `name=value,name=value`: most often a key.',
    secret: true,
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    describe:
      '`http/json` is what is spoken; `http/protobuf` is taken for it, `grpc` is refused where an endpoint is set.',
    default: 'http/json',
  },
  OTEL_METRICS_EXPORTER: { describe: '`otlp` or `none`.', default: 'otlp' },
  OTEL_TRACES_EXPORTER: { describe: '`otlp` or `none`.', default: 'otlp' },
  OTEL_METRIC_EXPORT_INTERVAL: {
    describe: 'Milliseconds from one push of metrics to the next.',
    default: '60000',
  },
  OTEL_TRACES_SAMPLER: {
    describe:
      'Which traces are kept: `always_on`, `always_off`, `traceidratio` (with `OTEL_TRACES_SAMPLER_ARG`), and `parentbased_` before each. A job goes by what was decided for its webhook.',
    default: 'parentbased_always_on',
  },
  OTEL_TRACES_SAMPLER_ARG: { describe: 'The part of the traces to keep, from 0 to 1.' },
  OTEL_SERVICE_NAME: { describe: 'Instead of `kodus-` and the component.' },
  OTEL_RESOURCE_ATTRIBUTES: { describe: 'Said of the process besides: `deployment.environment.name=test`.' },
  OTEL_SDK_DISABLED: { describe: '`true` pushes nothing, whatever else is set.' },
} as const satisfies Variables

/** What is pushed by OTLP. Where to and how, the exporters read from the environment themselves. */
export interface PushConfig {
  pushMetrics: boolean
  pushTraces: boolean
  metricIntervalMs: number
}

export interface TelemetryConfig {
  telemetry: PushConfig
}

export interface MetricsConfig {
  /** Who carries it may read `/metrics`. */
  metricsToken: string | undefined
}

const METRICS_TOKEN_LENGTH = 16

/** @throws KodusError CONFIG_INVALID, naming the variable */
export function readTelemetryConfig(env: Environment): TelemetryConfig {
  const read = (name: keyof typeof TELEMETRY_VARIABLES) => text(env, TELEMETRY_VARIABLES, name)
  const enabled = read('OTEL_SDK_DISABLED')?.toLowerCase() !== 'true'
  const pushes = (endpoint: keyof typeof TELEMETRY_VARIABLES, exporter: keyof typeof TELEMETRY_VARIABLES) => {
    const used = read(endpoint) === undefined ? 'OTEL_EXPORTER_OTLP_ENDPOINT' : endpoint
    const url = read(used)
    if (!enabled || url === undefined || !read(exporter)?.split(',').includes('otlp')) return false
    if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
      throw invalid(
        used,
        'is not an http or https URL',
        `Set ${used} to something like http://collector:4318.`,
      )
    }
    return true
  }
  const telemetry = {
    pushMetrics: pushes('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT', 'OTEL_METRICS_EXPORTER'),
    pushTraces: pushes('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_TRACES_EXPORTER'),
    metricIntervalMs: integer(env, TELEMETRY_VARIABLES, 'OTEL_METRIC_EXPORT_INTERVAL', {
      min: 100,
      max: 86_400_000,
    }),
  }
  if ((telemetry.pushMetrics || telemetry.pushTraces) && read('OTEL_EXPORTER_OTLP_PROTOCOL') === 'grpc') {
    const help = "Point OTEL_EXPORTER_OTLP_ENDPOINT at the collector's HTTP port (4318), with http/json."
    throw invalid('OTEL_EXPORTER_OTLP_PROTOCOL', 'is grpc, which is not spoken here', help)
  }
  return { telemetry }
}

/** @throws KodusError CONFIG_INVALID when it is short enough to be guessed */
export function readMetricsConfig(env: Environment): MetricsConfig {
  const metricsToken = text(env, METRICS_VARIABLES, 'METRICS_TOKEN')
  if (metricsToken === undefined || metricsToken.length >= METRICS_TOKEN_LENGTH) return { metricsToken }
  const help = `Set METRICS_TOKEN to ${METRICS_TOKEN_LENGTH} characters or more: openssl rand -hex 24`
  throw invalid('METRICS_TOKEN', 'is short enough to be guessed', help)
}

function invalid(variable: string, fault: string, help: string): KodusError {
  return new KodusError('CONFIG_INVALID', `${variable} ${fault}.`, { help })
}
