import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PostableReview } from '../../src/forges/forge.ts'
import { createGitForge } from '../../src/forges/git/index.ts'
import { gitVersion } from '../../src/lib/git/run-git.ts'
import { requestFor } from './fixture.ts'

const review: PostableReview = {
  jobId: 'job',
  run: 1,
  head: 'a'.repeat(40),
  body: '',
  unplacedHeading: '',
  comments: [],
  followUps: [],
  summary: '',
  verdict: { conclusion: 'success', title: '', summary: '' },
}
const request = requestFor('/srv/git/x', 'main', 'topic')
const { signal } = new AbortController()

test('plain git has nowhere to post: a post has no address', async () => {
  const { poster } = createGitForge({ roots: [], allowedProtocols: [] })
  const posted = await poster.post(request, review, async () => true, signal)
  assert.deepEqual(posted, { url: null, adopted: false, unplaced: 0 })
})

test('a stale attempt does not count as posted', async () => {
  const { poster } = createGitForge({ roots: [], allowedProtocols: [] })
  await assert.rejects(
    poster.post(request, review, async () => false, signal),
    { code: 'LEASE_LOST' },
  )
})

test('a protocol that can never be allowed stops the start, not the first job', () => {
  assert.throws(() => createGitForge({ roots: [], allowedProtocols: ['https', 'file'] }), {
    code: 'CONFIG_INVALID',
  })
})

test("this machine's git is told by its version", async () => {
  assert.match(await gitVersion(), /^\d+\.\d+[.\d]*$/)
})
