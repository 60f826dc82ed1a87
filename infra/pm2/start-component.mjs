// What PM2 starts: one component, as `npm run component` does. Plain JavaScript, so that an older Node gets as far
// as saying what it lacks.
import cluster from 'node:cluster'
import { closeSync, openSync } from 'node:fs'
import nodeCheck from './check-node.cjs'

const { name = 'kodus', pm_out_log_path: outFile, pm_err_log_path: errorFile } = process.env

// Straight into PM2's log files. On the way through its daemon the last lines of a process can be lost, and in its
// cluster only those pass that go by `process.stdout`, which ours do not. A number that was closed is the next given.
for (const [descriptor, file] of [
  [1, outFile],
  [2, errorFile],
]) {
  if (file === undefined) continue
  closeSync(descriptor)
  if (openSync(file, 'a') !== descriptor) process.exit(1)
}
// PM2's cluster puts its own functions here. With its listeners, a component that fails to start would stay, doing
// nothing, and its log would get lines of PM2's.
for (const stream of [process.stdout, process.stderr]) delete stream.write
for (const event of ['unhandledRejection', 'message']) process.removeAllListeners(event)

const problem = nodeCheck.nodeProblem()
if (problem) {
  const { code, message: msg, help } = problem
  const line = { level: 'error', time: new Date().toISOString(), component: name, code, help, msg }
  console.log(JSON.stringify(line))
  process.exit(1)
}

// In its cluster, PM2 may have handed this process a connection while that closed its port. The connection goes on to
// another process only if this one is still there to send it back: it leaves when PM2 has confirmed that no more come.
if (cluster.worker) {
  const exit = process.exit
  process.exit = (code) => {
    if (code !== 0 || !process.connected) exit(code)
    cluster.worker.once('disconnect', () => exit(code))
    cluster.worker.disconnect()
  }
}

// Read as everything in the checkout does it: `.kodus/env`, `.env`, `.kodus/github.env`.
process.env.npm_lifecycle_event = 'component'
await import('../../src/main.ts')
