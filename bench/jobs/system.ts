import type { ReviewRequest } from '../../src/jobs/review-request.ts'

/** A job queue under test: a side that enqueues and a side that works, each in a process of its own. */
export interface JobSystem {
  /** Creates what must be there before either side starts. */
  prepare(stores: Stores): Promise<void>
  openProducer(stores: Stores): Promise<Producer>
  /** Runs jobs that do nothing, sixteen at a time; `onJob` is called for each. */
  startWorker(stores: Stores, onJob: () => void): Promise<Worker>
}

/** Addresses of servers with nothing in them. */
export interface Stores {
  database: string
  redis: string
  rabbitmq: string
}

export interface Producer {
  /** Resolves once this one job is durable. */
  enqueue(request: ReviewRequest): Promise<void>
  close(): Promise<void>
}

export interface Worker {
  /** How many jobs are not recorded as completed. */
  unfinished(): Promise<number>
  stop(): Promise<void>
}

/** Jobs that a worker runs at a time; and as many callers enqueue, each one job after the other. */
export const CONCURRENCY = 16
