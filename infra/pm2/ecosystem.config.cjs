// The three components on one machine: `npm run pm2 -- start infra/pm2/ecosystem.config.cjs`. The numbers are those
// of src/components.ts. No settings here: each process reads the checkout's `.env` itself, because PM2 writes what
// is in an app's environment to its dump, and shows it to whoever asks.

const path = require('node:path')
const { nodeProblem } = require('./check-node.cjs')

const problem = nodeProblem()
if (problem) {
  // Thrown, PM2 would call this file malformed, and print a stack.
  console.error(`${problem.code}: ${problem.message}\n${problem.help}`)
  process.exit(1)
}

const { COMPONENTS } = require('../../src/components.ts')
const { keptOfShell } = require('./kept-of-shell.ts')

exports.apps = Object.entries(COMPONENTS).map(([type, { name, http, pm2, stop, nodeOptions }]) => ({
  name,
  script: path.join(__dirname, 'start-component.mjs'),
  cwd: path.join(__dirname, '../..'),
  node_args: nodeOptions,

  // Processes share a port by way of PM2's cluster: a reload starts a new one before it stops the old.
  exec_mode: http ? 'cluster' : 'fork',
  instances: pm2.instances,
  max_memory_restart: `${pm2.memoryMb}M`,

  // An empty part is in every variable's name, so nothing is taken over. `true`, which should do it, does nothing.
  filter_env: [''],
  env: {
    ...keptOfShell(process.env),
    COMPONENT_TYPE: type,
    // When PM2's daemon is killed, its processes end too: the next daemon would start them a second time.
    KODUS_SUPERVISED: '1',
  },

  // They say when they are ready. Without a database a worker is not; PM2 then goes on after this time.
  wait_ready: true,
  listen_timeout: 30_000,

  // SIGINT, what the component needs to finish or hand back, and only then SIGKILL. To it alone: a signal to the
  // git processes of a running review would end the review.
  kill_timeout: stop.grantedSeconds * 1000,
  treekill: false,

  // From 0.1 s to 15 s, by half as much again each time, and never for good: what it waits for comes back.
  exp_backoff_restart_delay: 100,

  // One file a component, with its own lines as they are. `start-component.mjs` writes to it.
  merge_logs: true,

  // PM2's own measuring and source maps, in our processes: memory for nothing.
  pmx: false,
  disable_source_map_support: true,
}))
