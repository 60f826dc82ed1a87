/** What of a bill is somebody's choice. */
export interface Installation {
  /** Production has every store twice or three times, and a NAT gateway in each zone. */
  readonly environment: 'staging' | 'production'
  /** Without a broker, PostgreSQL is the queue. */
  readonly queue: 'rabbitmq' | 'postgres'
  /** The share of what tasks reserve that they really use. */
  readonly utilisation: number
}

/** Availability zones, as infra/cdk spreads over them. */
export const ZONES = 2
