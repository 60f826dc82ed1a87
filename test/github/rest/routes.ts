import { accounts } from './accounts.ts'
import { apps } from './apps.ts'
import { checkRuns } from './check-runs.ts'
import type { Route } from './exchange.ts'
import { hooks } from './hooks.ts'
import { issueComments } from './issue-comments.ts'
import { pulls } from './pulls.ts'
import { reactions } from './reactions.ts'
import { repositories } from './repositories.ts'
import { reviewComments } from './review-comments.ts'
import { reviews } from './reviews.ts'

const ROUTES: readonly Route[] = [
  ...apps,
  ...accounts,
  ...repositories,
  ...pulls,
  ...reviews,
  ...reviewComments,
  ...issueComments,
  ...checkRuns,
  ...reactions,
  ...hooks,
]

const COMPILED = ROUTES.map((route) => {
  const [method, template = ''] = route.operation.split(' ')
  const names = [...template.matchAll(/\{([^}]+)\}/g)].map(([, name = '']) => name)
  // A reference may have slashes in it; nothing else may.
  const pattern = new RegExp(
    `^${template.replace(/\{(ref|branch|basehead)\}/g, '(.+)').replace(/\{[^}]+\}/g, '([^/]+)')}$`,
  )
  return { route, method, names, pattern, depth: template.split('/').length }
})
  // The longest first: `commits/{ref}` would take what `commits/{ref}/check-runs` is for. Of the same length,
  // the one with fewer parameters: `pulls/comments` before `pulls/{pull_number}`.
  .sort((a, b) => b.depth - a.depth || a.names.length - b.names.length)

/** The route for a request, and the parameters in its path. */
export function findRoute(
  method: string,
  path: string,
): { route: Route; params: Record<string, string> } | undefined {
  for (const { route, names, pattern, ...compiled } of COMPILED) {
    const match = compiled.method === method && pattern.exec(path)
    if (!match) continue
    const values = match.slice(1).map(decodeURIComponent)
    return { route, params: Object.fromEntries(names.map((name, index) => [name, values[index] ?? ''])) }
  }
  return undefined
}
