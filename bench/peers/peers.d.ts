// As much of the libraries' types as the benches use: `npm run check` works without them being installed.

declare module 'probot' {
  import type { IncomingMessage, ServerResponse } from 'node:http'

  interface Probot {
    on(events: string[], handler: () => Promise<void>): void
  }
  export function createProbot(options: {
    overrides: { appId: number; privateKey: string; secret: string }
  }): Probot
  export function createNodeMiddleware(
    load: (app: Probot) => void,
    options: { probot: Probot; webhooksPath: string },
  ): Promise<(request: IncomingMessage, response: ServerResponse, next: () => void) => Promise<boolean>>
}

declare module 'graphile-worker' {
  import type { Pool } from 'pg'

  interface WorkerUtils {
    migrate(): Promise<void>
    addJob(identifier: string, payload: object): Promise<unknown>
    release(): Promise<void>
  }
  export function makeWorkerUtils(options: {
    connectionString: string
    maxPoolSize?: number
  }): Promise<WorkerUtils>
  export function run(options: {
    pgPool: Pool
    noHandleSignals: boolean
    taskList: Record<string, () => Promise<void>>
    preset: {
      worker: { concurrentJobs: number; localQueue: { size: number }; completeJobBatchDelay: number }
    }
  }): Promise<{ stop(): Promise<void> }>
}

declare module 'pg-boss' {
  export class PgBoss {
    constructor(options: { connectionString: string; max: number; useListenNotify: boolean })
    on(event: 'error', listener: (error: Error) => void): void
    start(): Promise<unknown>
    stop(): Promise<void>
    createQueue(name: string, options: { notify: boolean }): Promise<void>
    send(name: string, data: object): Promise<string | null>
    work(
      name: string,
      options: { batchSize: number; burstWhenBatchFull: boolean; pollingIntervalSeconds: number },
      handler: (jobs: object[]) => Promise<void>,
    ): Promise<string>
  }
}

declare module 'ioredis' {
  export class Redis {
    constructor(address: string, options: { maxRetriesPerRequest: null })
    disconnect(): void
  }
}

declare module 'bullmq' {
  import type { Redis } from 'ioredis'

  export class Queue {
    constructor(name: string, options: { connection: Redis })
    waitUntilReady(): Promise<unknown>
    add(name: string, data: object): Promise<unknown>
    getJobCounts(): Promise<Record<string, number>>
    close(): Promise<void>
  }
  export class Worker {
    constructor(
      name: string,
      handler: () => Promise<void>,
      options: { connection: Redis; concurrency: number },
    )
    waitUntilReady(): Promise<unknown>
    close(): Promise<void>
  }
}
