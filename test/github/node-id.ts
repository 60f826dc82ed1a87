/** What GraphQL calls a kind of object, and how its ids begin. */
const PREFIXES = {
  Bot: 'BOT',
  CheckRun: 'CR',
  IssueComment: 'IC',
  Organization: 'O',
  PullRequest: 'PR',
  PullRequestReview: 'PRR',
  PullRequestReviewComment: 'PRRC',
  PullRequestReviewThread: 'PRRT',
  Reaction: 'REA',
  Repository: 'R',
  User: 'U',
} as const

export type NodeKind = keyof typeof PREFIXES

/** An object's id in GraphQL, which REST shows as `node_id`. */
export function nodeId(kind: NodeKind, id: number): string {
  return `${PREFIXES[kind]}_${Buffer.from(`node:${id}`).toString('base64url')}`
}

export function parseNodeId(text: string): { kind: NodeKind; id: number } | undefined {
  const [prefix, ...rest] = text.split('_')
  const kind = (Object.keys(PREFIXES) as NodeKind[]).find((name) => PREFIXES[name] === prefix)
  const [, id] = /^node:(\d+)$/.exec(Buffer.from(rest.join('_'), 'base64url').toString()) ?? []
  return kind && id ? { kind, id: Number(id) } : undefined
}
