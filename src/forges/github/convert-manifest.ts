import { setTimeout as sleep } from 'node:timers/promises'
import * as v from 'valibot'
import { asKodusError, KodusError } from '../../lib/errors.ts'
import type { GitHubAddress } from './config.ts'
import { createDispatcher } from './dispatcher.ts'
import { createEtagCache } from './etag-cache.ts'
import { createGitHubFetch } from './transport.ts'

const Conversion = v.object({
  id: v.number(),
  slug: v.string(),
  html_url: v.string(),
  pem: v.string(),
  webhook_secret: v.nullish(v.string()),
  owner: v.nullish(v.object({ login: v.string() })),
})

/** An App just made, with what nobody is ever shown again. */
export interface NewGitHubApp {
  id: number
  slug: string
  htmlUrl: string
  privateKey: string
  /** Null for an App without a webhook. */
  webhookSecret: string | null
  owner: string | null
}

/** Somebody waits at a terminal, for keys that cannot be had again. */
const ATTEMPTS = 4
const PAUSE_MS = 1_000

/**
 * Gets the keys of an App for the code that GitHub sent the browser back with. A code is good for one hour,
 * and once; where GitHub did not answer, it is tried again.
 *
 * @throws KodusError GITHUB_CODE_REFUSED, or why GitHub did not answer
 */
export async function convertManifest(address: GitHubAddress, code: string): Promise<NewGitHubApp> {
  const { apiUrl } = address
  const dispatcher = createDispatcher(address)
  const fetch = createGitHubFetch('setup', { dispatcher, apiUrl, cache: createEtagCache(), onDate: () => {} })
  const convert = () =>
    fetch(`${apiUrl}/app-manifests/${encodeURIComponent(code)}/conversions`, {
      method: 'POST',
      headers: { accept: 'application/vnd.github+json', 'user-agent': 'kodus-ai' },
    })
  try {
    const response = await patiently(convert)
    const app = v.safeParse(Conversion, response.status === 201 ? await response.json() : undefined)
    if (!app.success) throw refused(response.status)
    const { id, slug, html_url, pem, webhook_secret, owner } = app.output
    return {
      id,
      slug,
      htmlUrl: html_url,
      privateKey: pem,
      webhookSecret: webhook_secret ?? null,
      owner: owner?.login ?? null,
    }
  } finally {
    await dispatcher.close()
  }
}

async function patiently(convert: () => Promise<Response>): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const answer = await convert().catch(asKodusError)
    const passing = answer instanceof KodusError ? answer.retryability === 'transient' : answer.status >= 500
    if (!passing || attempt === ATTEMPTS) {
      if (answer instanceof KodusError) throw answer
      return answer
    }
    await sleep(PAUSE_MS)
  }
}

function refused(status: number): KodusError {
  return new KodusError('GITHUB_CODE_REFUSED', `GitHub gave no keys for its code (${status}).`, {
    help: 'A code is good for one hour, and once. Begin again with `kodus setup github`. If an App was made, delete it at GitHub, or make a private key on its page and set GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY_FILE and GITHUB_WEBHOOK_SECRET.',
  })
}
