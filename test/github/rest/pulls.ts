import { closePull, editPull, reopenPull } from '../acts/pulls.ts'
import type { PullRecord } from '../model/state.ts'
import { allPulls } from '../model/state.ts'
import { presentFile, presentPull, presentPullInList } from '../present/pulls.ts'
import { authorOf, inRepository, ok, page, pullOf, type Route, reading } from './exchange.ts'

export const pulls: Route[] = [
  inRepository('GET /repos/{owner}/{repo}/pulls', reading('pull_requests=read'), (exchange) => {
    const { world, repository, query } = exchange
    const state = query.state ?? 'open'
    const [owner, headRef] = typeof query.head === 'string' ? query.head.split(':') : []
    const chosen = allPulls(repository)
      .filter((pull) => state === 'all' || pull.state === state)
      .filter((pull) => query.base === undefined || pull.base.ref === query.base)
      .filter(({ head }) => !headRef || (head.ref === headRef && head.repository.owner.login === owner))
      .sort(order(String(query.sort ?? 'created'), query.direction))
    return page(exchange, chosen, (pull) => presentPullInList(world, pull))
  }),

  inRepository('GET /repos/{owner}/{repo}/pulls/{pull_number}', reading('pull_requests=read'), (exchange) =>
    ok(presentPull(exchange.world, pullOf(exchange))),
  ),

  inRepository(
    'PATCH /repos/{owner}/{repo}/pulls/{pull_number}',
    { kind: 'repository', app: ['pull_requests=write'], level: 'triage' },
    (exchange) => {
      const { world, body } = exchange
      const pull = pullOf(exchange)
      const by = authorOf(exchange)
      const { title, body: text, base, state } = body ?? {}
      if (title !== undefined || text !== undefined || base !== undefined) {
        editPull(world, pull, { title, body: text, base }, by)
      }
      if (state === 'closed' && pull.state === 'open') closePull(world, pull, by)
      if (state === 'open' && pull.state === 'closed') reopenPull(world, pull, by)
      return ok(presentPull(world, pull))
    },
  ),

  inRepository(
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/files',
    reading('pull_requests=read'),
    (exchange) => {
      const { world } = exchange
      const pull = pullOf(exchange)
      const files = world.state.diff(pull).slice(0, world.maxFiles)
      return page(exchange, files, (file) => presentFile(world, pull.repository, pull.head.sha, file))
    },
  ),
]

type Order = (a: PullRecord, b: PullRecord) => number

/** Newest first by default when sorted by creation; the other orders ascend by default. */
function order(sort: string, direction: unknown): Order {
  const ascending = (direction ?? (sort === 'created' ? 'desc' : 'asc')) === 'asc'
  const key = (pull: PullRecord) => (sort === 'updated' ? pull.updatedAt : pull.createdAt)
  return (a, b) => (key(a).localeCompare(key(b)) || a.number - b.number) * (ascending ? 1 : -1)
}
