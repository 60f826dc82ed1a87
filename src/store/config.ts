import { X509Certificate } from 'node:crypto'
import { type Environment, integer, required, text, type Variables } from '../lib/env.ts'
import { KodusError } from '../lib/errors.ts'
import { readCa } from '../lib/read-ca.ts'

export const DATABASE_VARIABLES = {
  DATABASE_URL: {
    describe:
      'PostgreSQL, as `postgresql://user:password@host:port/database`. Unset: `npm start` brings an embedded one. A pooler in between has to keep sessions (PgBouncer: `pool_mode = session`).',
    secret: true,
  },
  DATABASE_CA_FILE: {
    describe: "PEM file with the CA to trust for the database's TLS, as managed databases need.",
  },
  DATABASE_CA: {
    describe:
      "The CA to trust for the database's TLS, as PEM, where a platform hands out variables but no files (ECS).",
  },
} as const satisfies Variables

export interface DatabaseConfig {
  databaseUrl: string
  /** PEM: the certificates to trust instead of Node's. */
  databaseCa: string | undefined
}

/** @throws KodusError CONFIG_MISSING without DATABASE_URL, CONFIG_INVALID, DATABASE_CA_UNREADABLE */
export function readDatabaseConfig(env: Environment): DatabaseConfig {
  const databaseUrl = required(
    env,
    DATABASE_VARIABLES,
    'DATABASE_URL',
    'Set it, or run `npm start`, which brings an embedded PostgreSQL and passes its address on.',
  )
  // pg would take any scheme, and look for a host of whatever name follows.
  const [, scheme] = /^([a-z][a-z\d+.-]*):\/\//i.exec(databaseUrl) ?? []
  if (scheme !== undefined && !/^postgres(ql)?$/i.test(scheme)) {
    const help = 'Set DATABASE_URL to postgresql://user:password@host:5432/database.'
    throw new KodusError('CONFIG_INVALID', `DATABASE_URL begins with ${scheme}://, not postgresql://.`, {
      help,
    })
  }
  return { databaseUrl, databaseCa: readDatabaseCa(env) }
}

/** @throws KodusError CONFIG_INVALID, DATABASE_CA_UNREADABLE: a mistake must not end in a connection without TLS */
export function readDatabaseCa(env: Environment): string | undefined {
  const file = text(env, DATABASE_VARIABLES, 'DATABASE_CA_FILE')
  const pem = text(env, DATABASE_VARIABLES, 'DATABASE_CA')
  if (file !== undefined && pem !== undefined) {
    const help = 'Unset one of them.'
    throw new KodusError('CONFIG_INVALID', 'Both DATABASE_CA_FILE and DATABASE_CA are set.', { help })
  }
  if (pem === undefined) return file === undefined ? undefined : readCa(file, 'DATABASE_CA_FILE')
  try {
    new X509Certificate(pem)
  } catch (cause) {
    const help = 'Set it to PEM, with its line breaks, or let DATABASE_CA_FILE name a file.'
    throw new KodusError('CONFIG_INVALID', 'DATABASE_CA is no certificate.', { help, cause })
  }
  return pem
}

export const RETENTION_VARIABLES = {
  JOB_RETENTION_DAYS: {
    describe:
      'Days that a finished job is kept, with its history and its review. Reviews of open pull requests stay for as long as those are open.',
    default: '90',
  },
  DELIVERY_RETENTION_DAYS: {
    describe:
      'Days that the ids of deliveries are remembered, so that one that comes again does nothing: 30 at least, and never fewer than JOB_RETENTION_DAYS.',
    default: '90',
  },
} as const satisfies Variables

/** Seconds. */
export interface Retention {
  jobs: number
  deliveries: number
}

const DAY = 24 * 3600
/** A forge sends a delivery again for days (GitHub: three); a captured one may be replayed at any time. */
const LEAST_DELIVERY_DAYS = 30
/** Ten years. */
const MOST_DAYS = 3650

/** @throws KodusError CONFIG_INVALID, naming the variable */
export function readRetention(env: Environment): Retention {
  const days = (name: keyof typeof RETENTION_VARIABLES, min: number) =>
    integer(env, RETENTION_VARIABLES, name, { min, max: MOST_DAYS })
  const jobs = days('JOB_RETENTION_DAYS', 1) * DAY
  const deliveries = days('DELIVERY_RETENTION_DAYS', LEAST_DELIVERY_DAYS) * DAY
  return { jobs, deliveries: Math.max(jobs, deliveries) }
}
