import type { CheckRunRecord } from '../model/state.ts'
import { nodeId } from '../node-id.ts'
import type { World } from '../world.ts'
import { presentApp } from './accounts.ts'

/** A `check-run`. */
export function presentCheckRun(world: World, run: CheckRunRecord) {
  const { repository } = run
  const url = `${world.origin}/api/v3/repos/${repository.fullName}/check-runs/${run.id}`
  const htmlUrl = `${world.origin}/${repository.fullName}/runs/${run.id}`
  return {
    id: run.id,
    node_id: nodeId('CheckRun', run.id),
    name: run.name,
    head_sha: run.headSha,
    external_id: run.externalId,
    url,
    html_url: htmlUrl,
    details_url: run.detailsUrl ?? htmlUrl,
    status: run.status,
    conclusion: run.conclusion,
    started_at: run.startedAt,
    completed_at: run.completedAt,
    output: {
      ...run.output,
      annotations_count: run.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: { id: run.repository.id + 1 },
    app: presentApp(world),
    pull_requests: [...repository.pulls.values()]
      .filter(({ head }) => head.sha === run.headSha && head.repository === repository)
      .map(({ id, number, head, base }) => ({
        id,
        number,
        url: `${world.origin}/api/v3/repos/${repository.fullName}/pulls/${number}`,
        head: { ref: head.ref, sha: head.sha, repo: presentRepositoryReference(world, run) },
        base: { ref: base.ref, sha: base.sha, repo: presentRepositoryReference(world, run) },
      })),
  }
}

function presentRepositoryReference(world: World, { repository: { id, name, fullName } }: CheckRunRecord) {
  return { id, name, url: `${world.origin}/api/v3/repos/${fullName}` }
}
