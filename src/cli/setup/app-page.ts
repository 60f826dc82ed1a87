import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { asKodusError, KodusError } from '../../lib/errors.ts'
import { appManifest } from './app-manifest.ts'
import type { Permission } from './permissions.ts'

export interface AppPage {
  port: number
  /** What the person opens in a browser on this machine. */
  url: string
  /** The code that GitHub sent the browser back with: what the App's keys can be had for, once, for an hour. */
  code: Promise<string>
  /** Answers the browser that brought the code: where to go on, or what went wrong. Then the page is gone. */
  close(answer: { goTo: string } | { failure: unknown }): Promise<void>
}

export interface AppPageOptions {
  name: string
  permissions: readonly Permission[]
  webhookUrl: string | undefined
  /** `https://github.com`, or the origin of a GitHub Enterprise. */
  webOrigin: string
  /** The organisation that is to own the App; undefined: the person. */
  organisation: string | undefined
  /** 0: any that is free. */
  port: number
}

/**
 * Serves, to this machine alone, the page that sends the App's manifest to GitHub: a manifest can only be
 * posted by a browser in which somebody is signed in. GitHub sends that browser back here with a code.
 *
 * @throws KodusError SETUP_PORT_UNUSABLE
 */
export async function openAppPage(options: AppPageOptions): Promise<AppPage> {
  const state = randomBytes(24).toString('hex')
  let waiting: ServerResponse | undefined
  let resolveCode: (code: string) => void = () => {}
  const code = new Promise<string>((resolve) => {
    resolveCode = resolve
  })
  const server = createServer((request, response) => {
    // A page of somebody else's that resolves its name to this machine must not read the state.
    if (!/^(?:127\.0\.0\.1|localhost):\d+$/.test(request.headers.host ?? '')) {
      return page(response, 403, 'Open this page by the address that was printed.')
    }
    const [path, query] = (request.url ?? '').split('?')
    const given = new URLSearchParams(query)
    const returned = given.get('code')
    if (path === '/created' && returned && isSame(given.get('state'), state)) {
      if (waiting) return page(response, 409, 'GitHub has sent you here before. Look at the terminal.')
      waiting = response
      return resolveCode(returned)
    }
    if (path === '/') return html(response, 200, form(options, state, port()))
    return page(response, 404, 'There is nothing here. Begin again at the address that was printed.')
  })
  const port = () => (server.address() as AddressInfo).port

  const listening = once(server, 'listening')
  server.listen(options.port, '127.0.0.1')
  await listening.catch((cause) => {
    throw new KodusError('SETUP_PORT_UNUSABLE', `Port ${options.port} of this machine cannot be used.`, {
      help: 'Choose another with --port; 0 takes any that is free.',
      cause,
    })
  })
  return {
    port: port(),
    url: `http://127.0.0.1:${port()}/`,
    code,
    async close(answer) {
      if (waiting && !waiting.destroyed) {
        const answered = once(waiting, 'close')
        if ('goTo' in answer) waiting.writeHead(303, { location: answer.goTo, ...HEADERS }).end()
        else page(waiting, 502, `${asKodusError(answer.failure).message} Look at the terminal.`)
        // What was written has been handed over by then, or nobody is there to take it.
        await Promise.race([answered, once(waiting, 'finish')])
      }
      const closed = once(server, 'close')
      server.close()
      server.closeIdleConnections()
      await closed
    },
  }
}

function form(options: AppPageOptions, state: string, port: number): string {
  const { organisation, webOrigin, permissions, webhookUrl } = options
  const manifest = appManifest({ ...options, redirectUrl: `http://127.0.0.1:${port}/created` })
  const path = organisation
    ? `/organizations/${encodeURIComponent(organisation)}/settings/apps/new`
    : '/settings/apps/new'
  const rows = permissions.map(({ name, access, why }) =>
    [name.replaceAll('_', ' '), access, why].map((cell) => `<td>${inert(cell)}`).join(''),
  )
  return `<h1>A GitHub App for kodus</h1>
<p>It belongs to ${inert(organisation ?? 'you')} and is private: nobody else can install it. In the repositories
that you install it on it may do this, and nothing else:</p>
<table><tr>${rows.join('<tr>')}</table>
<p>${webhookUrl ? `GitHub will send it events at ${inert(webhookUrl)}.` : 'GitHub will send it no events: a worker asks for them.'}</p>
<form method="post" action="${inert(`${webOrigin}${path}?state=${state}`)}">
<input type="hidden" name="manifest" value="${inert(JSON.stringify(manifest))}">
<button autofocus>Make it at ${inert(new URL(webOrigin).host)}</button>
</form>
<p>GitHub asks you to confirm the name. Then it asks where to install it.</p>`
}

function page(response: ServerResponse, status: number, sentence: string): void {
  html(response, status, `<p>${inert(sentence)}</p>`)
}

const HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  connection: 'close',
}

const STYLE = 'body{font:1.1rem system-ui;max-width:42rem;margin:4rem auto}td{padding:.2rem 1rem .2rem 0}'

function html(response: ServerResponse, status: number, body: string): void {
  response
    .writeHead(status, HEADERS)
    .end(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>kodus setup</title><style>${STYLE}</style>${body}`,
    )
}

/** Text that is no markup, in an element or an attribute. */
function inert(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}

function isSame(given: string | null, wanted: string): boolean {
  return given?.length === wanted.length && timingSafeEqual(Buffer.from(given), Buffer.from(wanted))
}
