import { setTimeout as sleep } from 'node:timers/promises'
import type { ChannelModel } from 'amqplib'
import type { KodusError } from '../lib/errors.ts'
import type { Log } from '../lib/log.ts'
import { declareQueue, isMismatch, mismatchPauseMs, QUEUES, type QueueName } from './topology.ts'

/** The queues as a connection has found them. */
export interface DeclaredQueues {
  /** Why a queue cannot be used: it exists with other arguments. Undefined where it can. */
  whyNot(queue: QueueName): KodusError | undefined
}

/**
 * Declares each queue by itself, so that one that exists with other arguments does not take the others down. For that
 * one it is tried again, with growing pauses, for as long as the connection lives; each try that finds it so is logged.
 *
 * @param pauseMs milliseconds to the next try, when it was found so this many times
 * @throws whatever else keeps a queue from being declared at first
 */
export async function keepDeclared(
  connection: ChannelModel,
  log: Log,
  pauseMs: (times: number) => number = mismatchPauseMs,
): Promise<DeclaredQueues> {
  const mismatches = new Map<QueueName, KodusError>()
  const closed = new AbortController()
  connection.once('close', () => closed.abort())

  const declare = async (queue: QueueName): Promise<void> => {
    try {
      await declareQueue(connection, queue)
      if (mismatches.delete(queue)) log.info(`${queue} is declared as it should be`)
    } catch (error) {
      if (!isMismatch(error)) throw error
      mismatches.set(queue, error)
      log.error({ code: error.code, help: error.help }, error.message)
    }
  }

  const mend = async (): Promise<void> => {
    for (let times = 1; mismatches.size > 0; times++) {
      await sleep(pauseMs(times), undefined, { signal: closed.signal })
      // Whatever else keeps one from being declared may have passed at the next try.
      await Promise.allSettled([...mismatches.keys()].map(declare))
    }
  }

  await Promise.all(QUEUES.map(declare))
  mend().catch(() => {}) // The connection is closed.
  return { whyNot: (queue) => mismatches.get(queue) }
}
