import type { Environment } from '../../lib/env.ts'

/**
 * What a check found. `off`: not configured, and that is allowed. `notice`: as somebody wanted it, and to be known by
 * whoever wonders why nothing happens.
 */
export type Diagnosis = { state: 'ok' | 'off' | 'notice'; says: string }

/** Looks at one part of the installation. Throws a KodusError whose help says what to do. */
export type Check = (env: Environment, directory: string) => Promise<Diagnosis>
