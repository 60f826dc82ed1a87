import { type Environment, required, text, type Variables } from '../lib/env.ts'

export const DATABASE_VARIABLES = {
  DATABASE_URL: {
    describe:
      'PostgreSQL, as `postgresql://user:password@host:port/database`. Unset: `npm start` brings an embedded one.',
    secret: true,
  },
  DATABASE_CA_FILE: {
    describe: "PEM file with the CA to trust for the database's TLS, as managed databases need.",
  },
} as const satisfies Variables

export interface DatabaseConfig {
  databaseUrl: string
  databaseCaFile: string | undefined
}

/** @throws KodusError CONFIG_MISSING without DATABASE_URL */
export function readDatabaseConfig(env: Environment): DatabaseConfig {
  return {
    databaseUrl: required(
      env,
      DATABASE_VARIABLES,
      'DATABASE_URL',
      'Set it, or run `npm start`, which brings an embedded PostgreSQL and passes its address on.',
    ),
    databaseCaFile: text(env, DATABASE_VARIABLES, 'DATABASE_CA_FILE'),
  }
}
