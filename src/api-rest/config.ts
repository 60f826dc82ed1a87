import { COMPONENTS } from '../components.ts'
import { PROCESS_VARIABLES, type ProcessConfig, readProcessConfig } from '../lib/config.ts'
import { type Environment, integer, text, type Variables } from '../lib/env.ts'
import {
  METRICS_VARIABLES,
  type MetricsConfig,
  readMetricsConfig,
  readTelemetryConfig,
  TELEMETRY_VARIABLES,
  type TelemetryConfig,
} from '../lib/telemetry/config.ts'
import { DATABASE_VARIABLES, type DatabaseConfig, readDatabaseConfig } from '../store/config.ts'

export const variables = {
  ...PROCESS_VARIABLES,
  ...DATABASE_VARIABLES,
  ...TELEMETRY_VARIABLES,
  ...METRICS_VARIABLES,
  API_PORT: {
    describe: 'Port of the REST API; 0 takes any that is free.',
    default: String(COMPONENTS.api.http.port),
  },
  API_HOST: {
    describe:
      'Address the REST API listens on. `npm start` passes `127.0.0.1`; a container needs all of them.',
    default: '0.0.0.0',
  },
  API_DRAIN_SECONDS: {
    describe:
      'How long it goes on taking requests after it was asked to stop, while `/ready` already says 503: longer than its load balancer takes to notice. `npm start` passes `0`.',
    default: '5',
  },
} as const satisfies Variables

export interface ApiConfig extends ProcessConfig, DatabaseConfig, TelemetryConfig, MetricsConfig {
  port: number
  host: string
  /** Between not being ready any more and accepting no more connections. */
  drainMs: number
}

/** @throws KodusError CONFIG_MISSING or CONFIG_INVALID, naming the variable */
export function readConfig(env: Environment = process.env): ApiConfig {
  return {
    ...readProcessConfig(env),
    ...readDatabaseConfig(env),
    ...readTelemetryConfig(env),
    ...readMetricsConfig(env),
    port: integer(env, variables, 'API_PORT', { min: 0, max: 65_535 }),
    host: text(env, variables, 'API_HOST') ?? variables.API_HOST.default,
    drainMs: integer(env, variables, 'API_DRAIN_SECONDS', { min: 0, max: 120 }) * 1000,
  }
}
