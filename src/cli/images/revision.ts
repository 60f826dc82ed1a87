import { runTool } from './run-tool.ts'

/** What is built, for an image's labels. Without git, or outside a repository, nothing is known. */
export async function readRevision(root: string): Promise<{ revision?: string; source?: string }> {
  const git = async (...args: string[]) => {
    const run = await runTool('git', ['-C', root, ...args]).catch(() => undefined)
    return run?.code === 0 ? run.stdout.trim() : undefined
  }
  const commit = await git('rev-parse', 'HEAD')
  if (!commit) return {}
  const changed = (await git('status', '--porcelain')) !== ''
  const remote = await git('config', '--get', 'remote.origin.url')
  const source = remote && asPage(remote)
  return { revision: changed ? `${commit}-dirty` : commit, ...(source ? { source } : {}) }
}

/** As somebody would open it: `git@host:a/b.git` becomes `https://host/a/b`. Credentials in it stay out. */
function asPage(remote: string): string | undefined {
  const address = remote.replace(/^(?:ssh:\/\/)?git@([^:/]+)[:/]/, 'https://$1/')
  if (!URL.canParse(address)) return undefined
  const { protocol, host, pathname } = new URL(address)
  return protocol === 'https:' ? `https://${host}${pathname.replace(/\.git$/, '')}` : undefined
}
