import type { Delivery } from './review-request.ts'

/** What travels: a pointer to the row that is the truth. */
export interface JobMessage {
  jobId: string
  type: string
  version: number
}

export interface Consumer {
  /** Takes no more jobs; resolves when none will be handed over any more. Jobs already taken go on. */
  stop(): Promise<void>
}

/** Brings jobs to workers. Delivers at least once, in no promised order: the row decides what is run. */
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
  /**
   * Hands jobs to `onJob`, at most `slots` at a time. A job is given back to the queue only if the process
   * or the connection ends before `onJob` settles; what `onJob` throws is the worker's own affair.
   */
  consume(options: { slots: number; onJob: (message: JobMessage) => Promise<void> }): Promise<Consumer>
  /** Whether a publish would have a chance now. */
  isUp(): boolean
  close(): Promise<void>
}

/** Carries whole deliveries while PostgreSQL cannot be reached. Only a broker can serve it. */
export interface IntakeQueue {
  /** @throws KodusError QUEUE_UNAVAILABLE within 2 s; resolves once the delivery is confirmed durable */
  send(delivery: Delivery): Promise<void>
  /** `record` writes the delivery's row; the message is acknowledged when it resolves, kept when it throws. */
  record(record: (delivery: Delivery) => Promise<void>): Promise<Consumer>
}
