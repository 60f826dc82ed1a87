import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readEnvironment } from '../config.ts'
import { samplePullRequest } from '../installation.ts'

/** Earlier demos' repositories are removed by it; whatever else lies there is not ours. */
const PREFIX = 'kodus-demo-orders-'

/** The body of a `git` webhook. */
export interface SampleRequest {
  repository: string
  base: string
  head: string
  title: string
  description: string
  branch: string
}

/**
 * Makes a git repository of the sample pull request: one commit with its base, one with its head. The
 * commits carry the present time, so that each demo reviews commits nobody has reviewed before.
 */
export async function makeSampleRepository(parent: string): Promise<SampleRequest> {
  mkdirSync(parent, { recursive: true })
  for (const name of readdirSync(parent)) {
    if (name.startsWith(PREFIX)) rmSync(join(parent, name), { recursive: true })
  }
  const repository = mkdtempSync(join(parent, PREFIX))
  const about = JSON.parse(readFileSync(join(samplePullRequest, 'pull-request.json'), 'utf8'))
  const git = (...args: string[]) => gitIn(repository, args)

  git('init', '--quiet', '--initial-branch=main')
  const commit = (tree: string, message: string): string => {
    git('rm', '-r', '--quiet', '--ignore-unmatch', '.')
    cpSync(join(samplePullRequest, tree), repository, { recursive: true })
    git('add', '--all', '--force')
    git('commit', '--quiet', '--message', message)
    return git('rev-parse', 'HEAD').trim()
  }
  const base = commit('base', 'The service as it is')
  git('switch', '--quiet', '--create', about.branch)
  const head = commit('head', about.title)
  return { repository, base, head, title: about.title, description: about.description, branch: about.branch }
}

/** git without the user's configuration: the sample must not depend on it, nor run their hooks. */
function gitIn(directory: string, args: string[]): string {
  const identity = ['-c', 'user.name=Sample Author', '-c', 'user.email=author@example.com']
  return execFileSync('git', [...identity, ...args], {
    cwd: directory,
    encoding: 'utf8',
    env: { PATH: readEnvironment().PATH, GIT_CONFIG_NOSYSTEM: '1', GIT_CONFIG_GLOBAL: '/dev/null' },
  })
}
