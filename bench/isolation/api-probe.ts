// Asks the API what an operator's dashboard asks, at random moments, RATE times a second for SECONDS: the list of
// jobs, and one of them. A request counts from the moment at which it was due.
import { setTimeout as sleep } from 'node:timers/promises'
import { percentile } from '../support/statistics.ts'

const { URL: api = '', KEY, JOB, RATE, SECONDS } = process.env
const PATHS = ['/jobs?limit=20', `/jobs/${JOB}`]

process.on('disconnect', () => process.exit())
process.once('message', async () => {
  await probe(2) // Connections are open and code is compiled then.
  const latencies = await probe(Number(SECONDS))
  process.send?.({
    p50: percentile(latencies, 50),
    p99: percentile(latencies, 99),
    longest: Math.max(...latencies),
  })
})
process.send?.('ready')

async function probe(seconds: number): Promise<number[]> {
  const ends = performance.now() + seconds * 1000
  const latencies: number[] = []
  const asked: Promise<void>[] = []
  for (let due = performance.now(), n = 0; due < ends; n++) {
    due += (-Math.log(1 - Math.random()) / Number(RATE)) * 1000
    await sleep(Math.max(0, due - performance.now()))
    asked.push(ask(PATHS[n % PATHS.length] ?? '', Math.max(due, performance.now() - 1), latencies))
  }
  await Promise.all(asked)
  return latencies
}

async function ask(path: string, due: number, latencies: number[]): Promise<void> {
  const response = await fetch(api + path, { headers: { authorization: `Bearer ${KEY}` } })
  await response.text()
  if (response.status !== 200) throw new Error(`${path} answered ${response.status}`)
  latencies.push(performance.now() - due)
}
