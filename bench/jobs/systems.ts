import type { JobSystem } from './system.ts'

/** Loaded alone, by name: a process holds only the system that it runs. */
export const SYSTEMS = {
  'ours-postgres': async () => (await import('./ours.ts')).onPostgres,
  'ours-rabbitmq': async () => (await import('./ours.ts')).onRabbitmq,
  'graphile-worker': async () => (await import('../peers/graphile-worker.ts')).system,
  'pg-boss': async () => (await import('../peers/pg-boss.ts')).system,
  bullmq: async () => (await import('../peers/bullmq.ts')).system,
} as const satisfies Record<string, () => Promise<JobSystem>>

export type SystemName = keyof typeof SYSTEMS
