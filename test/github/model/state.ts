import { type DiffFile, diffSinceMergeBase } from './diff.ts'
import type { AppPermissions, Level } from './permissions.ts'

export interface Account {
  id: number
  login: string
  type: 'User' | 'Bot' | 'Organization'
}

/** Who did something: an account, through the App or not. */
export interface Author {
  account: Account
  viaApp: boolean
}

export interface Installation {
  id: number
  account: Account
  suspended: boolean
  createdAt: string
}

export interface InstallationToken {
  kind: 'installation'
  token: string
  installation: Installation
  /** What was asked for, which never exceeds what the App has; undefined: all of it. */
  permissions?: AppPermissions
  /** Names of repositories it is limited to. */
  repositories?: string[]
  expiresAt: Date
}

export interface PersonalToken {
  kind: 'personal'
  token: string
  account: Account
}

export interface RepositoryRecord {
  id: number
  owner: Account
  name: string
  fullName: string
  private: boolean
  defaultBranch: string
  directory: string
  parent?: RepositoryRecord
  installed: boolean
  createdAt: string
  levels: Map<string, Level>
  /** Issues and pull requests count together. */
  nextNumber: number
  pulls: Map<number, PullRecord>
  checkRuns: CheckRunRecord[]
  hooks: HookRecord[]
}

export interface PullRecord {
  id: number
  repository: RepositoryRecord
  number: number
  author: Author
  title: string
  body: string | null
  state: 'open' | 'closed'
  draft: boolean
  mergedAt: string | null
  mergedBy: Author | null
  mergeCommit: string | null
  base: { ref: string; sha: string }
  head: { repository: RepositoryRecord; ref: string; sha: string }
  createdAt: string
  updatedAt: string
  closedAt: string | null
  comments: IssueCommentRecord[]
  reviews: ReviewRecord[]
  threads: ThreadRecord[]
}

export interface Reaction {
  id: number
  author: Author
  content: string
  createdAt: string
}

export interface IssueCommentRecord {
  id: number
  pull: PullRecord
  author: Author
  body: string
  createdAt: string
  updatedAt: string
  reactions: Reaction[]
  minimized: string | null
}

export interface ReviewRecord {
  id: number
  pull: PullRecord
  author: Author
  body: string
  state: 'PENDING' | 'COMMENTED' | 'APPROVED' | 'CHANGES_REQUESTED' | 'DISMISSED'
  commit: string
  createdAt: string
  submittedAt: string | null
}

/** Where a thread stands, as it was when it began. */
export interface Place {
  path: string
  side: 'LEFT' | 'RIGHT'
  /** Absent: a comment on the file as a whole. */
  line?: number
  startLine?: number
  startSide?: 'LEFT' | 'RIGHT'
  position?: number
  diffHunk: string
  commit: string
}

export interface ThreadRecord {
  id: number
  pull: PullRecord
  place: Place
  resolvedBy: Author | null
  comments: ReviewCommentRecord[]
}

export interface ReviewCommentRecord {
  id: number
  thread: ThreadRecord
  review: ReviewRecord
  author: Author
  body: string
  createdAt: string
  updatedAt: string
  reactions: Reaction[]
  minimized: string | null
}

export interface CheckRunRecord {
  id: number
  repository: RepositoryRecord
  headSha: string
  name: string
  status: string
  conclusion: string | null
  externalId: string
  detailsUrl: string | null
  startedAt: string
  completedAt: string | null
  output: { title: string | null; summary: string | null; text: string | null }
  annotations: Record<string, unknown>[]
}

export interface HookRecord {
  id: number
  events: string[]
  active: boolean
  url: string
  secret: string
  contentType: string
  insecureSsl: string
  createdAt: string
  updatedAt: string
}

/** All that this GitHub knows. */
export interface State {
  accounts: Map<string, Account>
  repositories: Map<string, RepositoryRecord>
  installations: Installation[]
  tokens: Map<string, InstallationToken | PersonalToken>
  nextId(): number
  account(login: string, type?: Account['type']): Account
  findRepository(owner: string, name: string): RepositoryRecord | undefined
  diff(pull: PullRecord, head?: string): DiffFile[]
}

export function createState(): State {
  const accounts = new Map<string, Account>()
  const repositories = new Map<string, RepositoryRecord>()
  const diffs = new Map<string, DiffFile[]>()
  // Beyond 2³¹, as those of comments are: nobody may keep them in an `integer`, or ask for `databaseId`.
  let lastId = 3_000_000_000

  const nextId = () => {
    lastId += 1
    return lastId
  }

  return {
    accounts,
    repositories,
    installations: [],
    tokens: new Map(),
    nextId,
    account(login, type = 'User') {
      const known = accounts.get(login.toLowerCase())
      if (known) return known
      const account = { id: 1_000 + accounts.size, login, type }
      accounts.set(login.toLowerCase(), account)
      return account
    },
    findRepository: (owner, name) => repositories.get(`${owner}/${name}`.toLowerCase()),
    diff(pull, head = pull.head.sha) {
      const { directory } = pull.repository
      const key = `${directory} ${pull.base.sha} ${head}`
      const known = diffs.get(key) ?? diffSinceMergeBase(directory, pull.base.sha, head)
      diffs.set(key, known)
      return known
    },
  }
}

/** What this account may do in a repository. */
export function levelOf(repository: RepositoryRecord, account: Account): Level {
  if (account.id === repository.owner.id) return 'admin'
  return repository.levels.get(account.login.toLowerCase()) ?? (repository.private ? 'none' : 'read')
}

export function allPulls(repository: RepositoryRecord): PullRecord[] {
  return [...repository.pulls.values()]
}
