import type { GitHub, PullRequest } from '../test/github/server.ts'
import type { Random } from './random.ts'
import { type Branch, createBranches } from './repositories.ts'

/** What people do at the forge, one step after the other; each step sends the webhooks that it says. */
export interface Step {
  webhooks: number
  act(): void
}

export interface Stories {
  /** In the order in which they are to happen. */
  steps: Step[]
  /** Every pull request that has been opened, for whoever looks at them in the end. */
  pulls: Pull[]
}

export interface Pull {
  handle: PullRequest
  /** The heads it had, oldest first. */
  heads: string[]
  open: boolean
  draft: boolean
  /** Whether somebody has asked for a second review of the same head. */
  forced: Set<string>
}

const OWNERS = ['acme', 'globex', 'initech', 'umbrella']
const REPOSITORIES_EACH = 6

/** How many webhooks a pull request causes in its life, on average, at least: our own comments on it cause more. */
const WEBHOOKS_A_PULL = 7

/** Steps of this many pull requests are mixed with one another. */
const AT_A_TIME = 12

/** How often each kind of life is lived. */
const LIVES = { plain: 20, pushed: 24, flapping: 14, edited: 12, draft: 6, discussed: 18, forced: 6 }

/** Nobody knows them, so what they command is not done. */
const STRANGERS = ['eve', 'mallory', 'trudy']

/**
 * The stories of a run, the same for the same seed, that cause so many webhooks. Most of what happens
 * ends quickly, by rules of the product: heads that are superseded or known, pull requests that are closed, edited
 * or talked about; about one webhook in seven is a head that is reviewed from end to end.
 */
export function tellStories(github: GitHub, webhooks: number, random: Random): Stories {
  const pulls: Pull[] = []
  const branches = prepareBranches(github, Math.ceil(webhooks / WEBHOOKS_A_PULL) + 8, random)
  const lives = branches.map((branch) => liveLife(branch, pulls, random))
  return { steps: mix(lives, random), pulls }
}

/** How many webhooks steps cause by themselves. */
export function webhooksOf(steps: readonly Step[]): number {
  return steps.reduce((sum, { webhooks }) => sum + webhooks, 0)
}

function prepareBranches(github: GitHub, count: number, random: Random): Branch[] {
  const names = OWNERS.flatMap((owner) =>
    Array.from({ length: REPOSITORIES_EACH }, (_, n) => `${owner}/shop-${n}`),
  )
  const used = names.slice(0, Math.max(4, Math.min(names.length, Math.ceil(count / 8))))
  const plans = used.map((): { commits: number }[] => [])
  // A quarter of all is in the first repository: the others must not wait behind it.
  for (let nth = 0; nth < count; nth++) {
    const plan = random.chance(0.25) ? plans[0] : random.pick(plans)
    plan?.push({ commits: 6 })
  }
  const made = used.map((name, index) => createBranches(github, name, plans[index] ?? []))
  for (const branches of made) branches[0]?.repository.setPermission('mona', 'write')
  const all = made.flat()
  return all.map(
    (_, index) => all.splice(random.whole(index, all.length - 1), 1, all[index] as Branch)[0] as Branch,
  )
}

function liveLife(branch: Branch, pulls: Pull[], random: Random): Step[] {
  const kind = random.weighted(LIVES)
  const draft = kind === 'draft'
  let pull: Pull
  const current = () => pull
  const step = (act: (handle: PullRequest) => void, webhooks = 1): Step => ({
    webhooks,
    act: () => act(current().handle),
  })
  const open: Step = {
    webhooks: 1,
    act() {
      const handle = branch.repository.openPullRequest({ head: branch.name, draft, title: 'Orders' })
      pull = { handle, heads: [handle.head()], open: true, draft, forced: new Set() }
      pulls.push(pull)
    },
  }
  const push = (nth: number): Step =>
    step((handle) => {
      const commit = branch.commits[nth]
      if (!commit) return
      current().heads.push(commit)
      handle.resetTo(commit)
    })
  const close = step((handle) => {
    current().open = false
    handle.close()
  })
  const reopen = step((handle) => {
    current().open = true
    handle.reopen()
  })
  const edit = (nth: number) => step((handle) => handle.edit({ title: `Orders ${nth}` }))
  const comment = (by: string, body: string) => step((handle) => void handle.comment(by, body))
  const repeat = (times: number, make: (nth: number) => Step[]) =>
    Array.from({ length: times }, (_, nth) => make(nth)).flat()
  const stranger = () =>
    comment(random.pick(STRANGERS), random.pick(['@kody review', '@kody ignore', '@kody pause']))

  switch (kind) {
    case 'plain':
      return [open, ...repeat(random.whole(0, 4), (nth) => [edit(nth)])]
    case 'pushed':
      return [
        open,
        ...repeat(random.whole(2, 5), (nth) => [push(nth + 1)]),
        ...repeat(random.whole(0, 2), () => [stranger()]),
      ]
    case 'flapping':
      return [
        open,
        ...repeat(random.whole(1, 4), () => [close, reopen]),
        ...(random.chance(0.5) ? [close] : []),
      ]
    case 'edited':
      return [open, ...repeat(random.whole(3, 9), (nth) => [edit(nth)])]
    case 'draft': {
      const ready = step((handle) => {
        current().draft = false
        handle.markReady()
      })
      return [
        open,
        push(1),
        ...repeat(random.whole(1, 3), (nth) => [edit(nth)]),
        ...(random.chance(0.6) ? [ready] : []),
      ]
    }
    case 'discussed':
      return [
        open,
        ...repeat(random.whole(2, 7), () => [
          random.chance(0.6) ? stranger() : comment('mona', 'Looks good to me.'),
        ]),
      ]
    case 'forced': {
      const force = step((handle) => {
        current().forced.add(handle.head())
        handle.comment('mona', '@kody review --force')
      })
      return [open, edit(0), force]
    }
  }
}

/** Several lives at a time, each in its order, in bursts of a few steps. */
function mix(lives: readonly Step[][], random: Random): Step[] {
  const waiting = lives.map((steps) => [...steps])
  const under = waiting.splice(0, AT_A_TIME)
  const mixed: Step[] = []
  while (under.length > 0) {
    const at = random.whole(0, under.length - 1)
    const life = under[at] as Step[]
    mixed.push(...life.splice(0, random.whole(1, 4)))
    if (life.length > 0) continue
    const next = waiting.shift()
    if (next) under[at] = next
    else under.splice(at, 1)
  }
  return mixed
}
