import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type StartedProcess, startProcess } from '../support/start-process.ts'
import type { Stores } from './system.ts'
import { SYSTEMS, type SystemName } from './systems.ts'

const SIDE = fileURLToPath(new URL('side.ts', import.meta.url))

/** What one round says of one system. */
export interface Measured {
  enqueuedPerSecond: number
  /** From the first enqueue to the last job that is recorded as completed. */
  completedPerSecond: number
}

/** Enqueues one by one while a worker works. Beforehand a tenth as many, which are not counted. */
export async function measure(
  name: SystemName,
  stores: Stores,
  { jobs, directory }: { jobs: number; directory: string },
): Promise<Measured> {
  await (await SYSTEMS[name]()).prepare(stores)
  const sides: StartedProcess[] = []
  const start = async (side: string) => {
    const started = await startProcess(SIDE, {
      env: { SIDE: side, SYSTEM: name, STORES: JSON.stringify(stores) },
      logFile: path.join(directory, `${name}-${side}.log`),
    })
    sides.push(started)
    return (count: number) => ask(started, count)
  }
  try {
    const [enqueue, work] = [await start('producer'), await start('worker')]
    const warmUp = Math.ceil(jobs / 10)
    await Promise.all([work(warmUp), enqueue(warmUp)])

    const began = performance.now()
    const [completed, enqueued] = await Promise.all([work(jobs), enqueue(jobs)])
    const perSecond = (ended: number) => (jobs / (ended - began)) * 1000
    return { enqueuedPerSecond: perSecond(enqueued), completedPerSecond: perSecond(completed) }
  } finally {
    for (const side of sides) await side.stop()
  }
}

/** @returns when it was done, on this process's clock */
async function ask(side: StartedProcess, count: number): Promise<number> {
  const answer = once(side.child, 'message')
  const ended = once(side.child, 'exit').then(() =>
    Promise.reject(new Error('A side ended; its log says why.')),
  )
  side.child.send({ count })
  await Promise.race([answer, ended])
  return performance.now()
}
