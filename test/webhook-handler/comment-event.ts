/** The part of GitHub's `issue_comment` event that is read, for a new comment on pull request 7 of octo/shop. */
export function commentEvent(body: string): string {
  return JSON.stringify({
    action: 'created',
    issue: { number: 7, pull_request: { url: 'https://api.github.com/repos/octo/shop/pulls/7' } },
    comment: { id: 4711, body },
    repository: { full_name: 'octo/shop', owner: { login: 'octo' } },
    sender: { login: 'mona', type: 'User' },
  })
}
