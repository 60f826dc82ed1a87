import Fastify, { LogController } from 'fastify'
import type { Log } from '../lib/log.ts'
import type { Database } from '../store/database.ts'
import { logRequests } from './log-requests.ts'
import { serveOpenApi } from './openapi.ts'
import { reachableDatabase } from './reachable-database.ts'
import { refuseMalformed } from './refuse-malformed.ts'
import { addCancelJob } from './routes/cancel-job.ts'
import { addDeadLetters } from './routes/dead-letters.ts'
import { addDiscardJob } from './routes/discard-job.ts'
import { addHealth } from './routes/health.ts'
import { addJobEvents } from './routes/job-events.ts'
import { addJobs } from './routes/jobs.ts'
import { addMetrics, type MetricsOptions } from './routes/metrics.ts'
import { addReplayJob } from './routes/replay-job.ts'
import { addStops } from './routes/stops.ts'
import { sendProblem } from './send-problem.ts'
import { refuseUnknownRoutes } from './unknown-routes.ts'
import { type Api, compileValidator } from './valibot-routes.ts'
import { watchJobs } from './watch-jobs.ts'

export interface AppOptions {
  db: Database
  log: Log
  version: string
  instanceId: string
  /** Undefined where nobody measures. */
  metrics?: MetricsOptions
  /** How soon after it happened a stream tells of a change. */
  pollMs?: number
  /** How often a quiet stream shows that it lives; proxies commonly cut at 30 to 60 s. */
  heartbeatMs?: number
  /** How long requests that run at shutdown may go on. */
  graceMs?: number
  /** Whether it was asked to stop: no new connections are wanted, though what comes is still answered. */
  isStopping?: () => boolean
}

/** The REST API, not yet listening. `close()` ends every stream, and resolves within the grace period. */
export async function createApp({
  log,
  version,
  instanceId,
  pollMs = 500,
  heartbeatMs = 15_000,
  graceMs = 10_000,
  metrics,
  isStopping = () => false,
  ...options
}: AppOptions): Promise<Api> {
  const db = reachableDatabase(options.db)
  const app: Api = Fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => crypto.randomUUID(),
    // Only of headers and body: a stream's answer may last as long as its job.
    requestTimeout: 30_000,
    // A request that came in while we drain is answered like any other, and told to reconnect elsewhere.
    return503OnClosing: false,
    // A long id is as malformed as a short one, and is answered as such.
    routerOptions: { maxParamLength: 16_384 },
    frameworkErrors: sendProblem,
    clientErrorHandler: refuseMalformed,
  })
  app.setErrorHandler(sendProblem)
  app.setValidatorCompiler(compileValidator)
  // The types already hold an answer to its schema, and the tests hold it to `/openapi.json`.
  app.setSerializerCompiler(() => JSON.stringify)
  // No route takes a body: whatever is sent is read past, rather than refused for its type.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, body, done) => done(null, void body.resume()))
  app.decorateRequest('caller', null)

  const watch = watchJobs(db, log, pollMs)
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
    setTimeout(() => app.server.closeAllConnections(), graceMs).unref()
    await watch.close()
  })
  app.addHook('onSend', async (_request, reply) => {
    if (closing || isStopping()) reply.header('connection', 'close')
  })

  logRequests(app)
  refuseUnknownRoutes(app)
  await serveOpenApi(app, version)
  addHealth(app, { db, version, instanceId, isStopping })
  addJobs(app, { db })
  addJobEvents(app, { db, watch, heartbeatMs })
  addCancelJob(app, { db })
  addReplayJob(app, { db })
  addDiscardJob(app, { db })
  addDeadLetters(app, { db })
  addStops(app, { db })
  if (metrics) addMetrics(app, { db, ...metrics })
  return app
}
