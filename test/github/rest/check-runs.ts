import { resolve } from '../model/git.ts'
import type { CheckRunRecord, RepositoryRecord } from '../model/state.ts'
import { presentCheckRun } from '../present/check-runs.ts'
import { notFound, Refusal, validationFailed } from '../refusal.ts'
import type { World } from '../world.ts'
import {
  type Access,
  created,
  inRepository,
  ok,
  page,
  type RepositoryExchange,
  type Route,
  reading,
} from './exchange.ts'

const writing: Access = { kind: 'repository', app: ['checks=write'], level: 'write', onlyApps: true }
const CHECK_RUN = '/repos/{owner}/{repo}/check-runs/{check_run_id}'

export const checkRuns: Route[] = [
  inRepository('POST /repos/{owner}/{repo}/check-runs', writing, ({ world, repository, body }) => {
    if (!/^[0-9a-f]{40}$/.test(body.head_sha) || !resolve(repository.directory, body.head_sha)) {
      throw new Refusal(422, `No commit found for SHA: ${body.head_sha}`)
    }
    const run: CheckRunRecord = {
      id: world.state.nextId(),
      repository,
      headSha: body.head_sha,
      name: body.name,
      status: 'queued',
      conclusion: null,
      externalId: '',
      detailsUrl: null,
      startedAt: world.clock.timestamp(),
      completedAt: null,
      output: { title: null, summary: null, text: null },
      annotations: [],
    }
    change(world, run, body)
    repository.checkRuns.push(run)
    return created(presentCheckRun(world, run))
  }),

  inRepository(`PATCH ${CHECK_RUN}`, writing, (exchange) => {
    const run = checkRunOf(exchange)
    change(exchange.world, run, exchange.body ?? {})
    return ok(presentCheckRun(exchange.world, run))
  }),

  inRepository(`GET ${CHECK_RUN}`, reading('checks=read'), (exchange) =>
    ok(presentCheckRun(exchange.world, checkRunOf(exchange))),
  ),

  inRepository(`GET ${CHECK_RUN}/annotations`, reading('checks=read'), (exchange) =>
    page(exchange, checkRunOf(exchange).annotations, (annotation) => annotation),
  ),

  inRepository('GET /repos/{owner}/{repo}/commits/{ref}/check-runs', reading('checks=read'), (exchange) => {
    const { world, repository, params, query } = exchange
    const sha = resolve(repository.directory, String(params.ref))
    if (!sha) throw new Refusal(422, `No commit found for SHA: ${params.ref}`)
    const chosen = (query.filter === 'all' ? runsOf(repository, sha) : latest(runsOf(repository, sha)))
      .filter(({ name }) => query.check_name === undefined || name === query.check_name)
      .filter(({ status }) => query.status === undefined || status === query.status)
      .filter(() => query.app_id === undefined || Number(query.app_id) === world.app.id)
    return page(
      exchange,
      chosen,
      (run) => presentCheckRun(world, run),
      (check_runs) => ({ total_count: chosen.length, check_runs }),
    )
  }),
]

/** A commit's check runs, newest first. */
export function runsOf(repository: RepositoryRecord, sha: string): CheckRunRecord[] {
  return repository.checkRuns.filter(({ headSha }) => headSha === sha).reverse()
}

/** Of those with the same name, the newest. */
function latest(runs: CheckRunRecord[]): CheckRunRecord[] {
  return runs.filter((run, index) => runs.findIndex(({ name }) => name === run.name) === index)
}

function checkRunOf({ repository, params }: RepositoryExchange): CheckRunRecord {
  const run = repository.checkRuns.find(({ id }) => id === Number(params.check_run_id))
  if (!run) throw notFound()
  return run
}

// biome-ignore lint/suspicious/noExplicitAny: checked against GitHub's description before
function change(world: World, run: CheckRunRecord, body: any): void {
  const status = body.conclusion === undefined ? (body.status ?? run.status) : 'completed'
  const conclusion = body.conclusion ?? (status === 'completed' ? run.conclusion : null)
  if (status === 'completed' && conclusion === null) {
    throw validationFailed('CheckRun', 'conclusion', 'conclusion is required when status is completed')
  }
  run.status = status
  run.conclusion = conclusion
  run.name = body.name ?? run.name
  run.externalId = body.external_id ?? run.externalId
  run.detailsUrl = body.details_url ?? run.detailsUrl
  run.startedAt = body.started_at ?? run.startedAt
  run.completedAt =
    status === 'completed' ? (body.completed_at ?? run.completedAt ?? world.clock.timestamp()) : null
  if (!body.output) return
  const { title, summary, text, annotations = [] } = body.output
  run.output = {
    title: title ?? run.output.title,
    summary: summary ?? run.output.summary,
    text: text ?? run.output.text,
  }
  // They add up over the updates; nothing takes one away.
  run.annotations.push(...annotations.map((annotation: object) => annotationOf(world, run, annotation)))
}

function annotationOf(world: World, run: CheckRunRecord, annotation: object): Record<string, unknown> {
  return {
    start_column: null,
    end_column: null,
    title: null,
    raw_details: null,
    blob_href: `${world.origin}/${run.repository.fullName}/blob/${run.headSha}`,
    ...annotation,
  }
}
