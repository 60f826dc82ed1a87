/** The part of GitHub's `pull_request` event that is read, with `head` as one repeated hex digit. */
export function pullRequestEvent({
  action = 'opened',
  draft = false,
  merged = false,
  head = 'a',
  title = 'Sell more',
  changes,
  state = action === 'closed' ? 'closed' : 'open',
  at = '2026-01-01T00:00:00Z',
}: {
  action?: string
  draft?: boolean
  merged?: boolean
  head?: string
  title?: string
  changes?: object
  state?: string
  at?: string
}): string {
  return JSON.stringify({
    action,
    number: 7,
    ...(changes ? { changes } : {}),
    pull_request: {
      number: 7,
      title,
      body: null,
      state,
      draft,
      merged,
      updated_at: at,
      base: { sha: 'f'.repeat(40), ref: 'main' },
      head: { sha: head.repeat(40), ref: 'feature/sell' },
    },
    repository: { full_name: 'octo/shop', owner: { login: 'octo' } },
    sender: { login: 'mona' },
  })
}
