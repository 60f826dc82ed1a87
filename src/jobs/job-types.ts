import type { JobTypeName } from './review-request.ts'

/**
 * The one registry of job types. Routing keys, attempts and deadlines derive from it, and so does what a
 * component knows: it leaves a job of another type or version to a component that has it.
 */
export interface JobType {
  /** The newest payload version this build understands; older ones are understood too. */
  version: number
  /** Tries before a run fails for good. */
  maxAttempts: number
  /** Milliseconds one attempt may take. */
  deadlineMs: number
}

/** Eight tries last some ten minutes: an outage of a forge or a model that is shorter costs a review nothing. */
export const JOB_TYPES = {
  'code-review': { version: 1, maxAttempts: 8, deadlineMs: 30 * 60_000 },
  /** A comment that addresses the reviewer: checked with the forge, then done. */
  command: { version: 1, maxAttempts: 8, deadlineMs: 2 * 60_000 },
} as const satisfies Record<JobTypeName, JobType>

export function knownJobType(type: string, version: number): JobType | undefined {
  const known: JobType | undefined = Object.hasOwn(JOB_TYPES, type)
    ? JOB_TYPES[type as JobTypeName]
    : undefined
  return known && version <= known.version ? known : undefined
}

/** The newest version of a type that this build understands; 0 for a type it does not know. */
export function newestVersion(type: string): number {
  return Object.hasOwn(JOB_TYPES, type) ? JOB_TYPES[type as JobTypeName].version : 0
}
