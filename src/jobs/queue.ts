import type { Delivery } from './review-request.ts'

/** What travels: a hint that there is work. The rows say which, and whether it may be claimed now. */
export interface JobMessage {
  jobId: string
  type: string
  version: number
}

export interface Consumer {
  /** Takes no more jobs; resolves when none will be handed over any more. Jobs already taken go on. */
  stop(): Promise<void>
  /**
   * Milliseconds since it last could have taken a job: since its loop turned, or since the claim under way was asked
   * for; infinite while its broker is away.
   */
  sinceTurnMs(): number
}

/** What a worker does when there is work. */
export interface JobTaker<Job> {
  /** Jobs run at the same time. */
  slots: number
  /**
   * Claims up to `count` jobs, whichever should run first; fewer when there are no more that may run now. `later`
   * when this worker takes none until one of those it runs has ended. Rejects while the database is away.
   */
  claim(count: number): Promise<readonly Job[] | 'later'>
  /** Runs one of them; what it throws is the worker's own affair. */
  run(job: Job): Promise<void>
}

/** Tells workers that there is work. Says it at least once, in no promised order: the rows decide what is run. */
export interface JobQueue {
  readonly technology: 'rabbitmq' | 'postgres'
  /**
   * Milliseconds a new row may wait before it counts as forgotten and is published by the dispatcher; 0
   * where the rows are the queue.
   */
  readonly outboxDelayMs: number
  /**
   * Announces jobs whose rows are committed. Resolves once all are durable with the queue.
   * @throws KodusError QUEUE_UNAVAILABLE within 2 s when the queue cannot be reached
   */
  publish(messages: readonly JobMessage[]): Promise<void>
  /** Claims and runs a job for each message, as far as slots are free. */
  consume<Job>(taker: JobTaker<Job>): Promise<Consumer>
  /**
   * Messages that no consumer has yet. Undefined where the rows are the queue.
   * @throws Error while the queue cannot be reached
   */
  depth(): Promise<number | undefined>
  /** Whether a publish would have a chance now. */
  isUp(): boolean
  close(): Promise<void>
}

/** Carries whole deliveries while PostgreSQL cannot be reached. Only a broker can serve it. */
export interface IntakeQueue {
  /** @throws KodusError QUEUE_UNAVAILABLE within 2 s; resolves once the delivery is confirmed durable */
  send(delivery: Delivery): Promise<void>
  /** Whether it would have a chance to take one now. */
  isUp(): boolean
  /**
   * Deliveries that no recorder has yet.
   * @throws KodusError QUEUE_UNAVAILABLE within 2 s
   */
  depth(): Promise<number>
  /** `record` writes the delivery's row; the message is acknowledged when it resolves, kept when it throws. */
  record(record: (delivery: Delivery) => Promise<void>): Promise<Consumer>
}
